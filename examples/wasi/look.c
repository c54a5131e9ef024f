/* Prints the files that it is given by name, or why it could not.
 *
 * Built with: python -m ziglang cc -target wasm32-wasi -Os -s -o look.wasm look.c
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        char line[256];
        FILE *file = fopen(argv[i], "r");
        if (file == NULL) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
            failed = 1;
            continue;
        }
        while (fgets(line, sizeof line, file))
            printf("%s: %s", argv[i], line);
        fclose(file);
    }
    return failed;
}
