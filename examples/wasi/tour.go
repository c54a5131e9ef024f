// Looks at its arguments, a variable, a directory and its input, and writes a file.
//
// Built with: GOOS=wasip1 GOARCH=wasm go build -ldflags=-s -o tour_go.wasm tour.go
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	fmt.Printf("arguments %q, NAME=%s\n", os.Args[1:], os.Getenv("NAME"))
	entries, err := os.ReadDir("/data")
	check(err)
	for _, entry := range entries {
		fmt.Println("/data has", entry.Name())
	}
	data, err := os.ReadFile("/data/greeting.txt")
	check(err)
	fmt.Print(string(data))
	check(os.WriteFile("/out/go.txt", []byte("written by Go\n"), 0o644))
	if _, err := os.ReadFile("/elsewhere"); err != nil {
		fmt.Println("elsewhere: nothing")
	}
	var lines []string
	for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
		lines = append(lines, strings.ToUpper(scanner.Text()))
	}
	fmt.Println(strings.Join(lines, ", "))
	os.Exit(len(os.Args) - 1)
}
