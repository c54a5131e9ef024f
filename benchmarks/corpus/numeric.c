/* Floating point in loops: elimination, transform, stencil, rays, series. */
#include "corpus.h"
static double a[40][41], x[40], re[256], im[256], heat[2][34][34], u[60], v[60];
static float image[64 * 64];

NOINLINE void eliminate(int n) {
    for (int k = 0; k < n; k++) {
        int p = k;
        for (int i = k + 1; i < n; i++)
            if (__builtin_fabs(a[i][k]) > __builtin_fabs(a[p][k])) p = i;
        for (int j = k; j <= n; j++) { double t = a[k][j]; a[k][j] = a[p][j]; a[p][j] = t; }
        for (int i = k + 1; i < n; i++) {
            double f = a[i][k] / a[k][k];
            for (int j = k; j <= n; j++) a[i][j] -= f * a[k][j];
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        double s = a[i][n];
        for (int j = i + 1; j < n; j++) s -= a[i][j] * x[j];
        x[i] = s / a[i][i];
    }
}

NOINLINE void transform(int n) {
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j |= bit;
        if (i < j) { double t = re[i]; re[i] = re[j]; re[j] = t; t = im[i]; im[i] = im[j]; im[j] = t; }
    }
    for (int len = 2; len <= n; len <<= 1) {
        double wr = 1 - 8.0 / (len * len), wi = 5.0 / len;
        for (int i = 0; i < n; i += len) {
            double cr = 1, ci = 0;
            for (int j = 0; j < len / 2; j++) {
                int p = i + j, q = p + len / 2;
                double tr = re[q] * cr - im[q] * ci, ti = re[q] * ci + im[q] * cr;
                re[q] = re[p] - tr; im[q] = im[p] - ti; re[p] += tr; im[p] += ti;
                double t = cr * wr - ci * wi; ci = cr * wi + ci * wr; cr = t;
            }
        }
    }
}

NOINLINE void diffuse(int rounds) {
    for (int r = 0; r < rounds; r++)
        for (int i = 1; i < 33; i++)
            for (int j = 1; j < 33; j++)
                heat[(r + 1) & 1][i][j] = heat[r & 1][i][j] + 0.1 * (heat[r & 1][i - 1][j] + heat[r & 1][i + 1][j] +
                    heat[r & 1][i][j - 1] + heat[r & 1][i][j + 1] - 4 * heat[r & 1][i][j]);
}

typedef struct { float x, y, z, r; } Ball;
static Ball balls[8];

NOINLINE float shoot(float ox, float oy, float dx, float dy, float dz) {
    float near = 1e9f;
    for (int i = 0; i < 8; i++) {
        float cx = balls[i].x - ox, cy = balls[i].y - oy, cz = balls[i].z;
        float b = cx * dx + cy * dy + cz * dz, d = b * b - (cx * cx + cy * cy + cz * cz) + balls[i].r * balls[i].r;
        if (d > 0) { float t = b - __builtin_sqrtf(d); if (t > 0.001f && t < near) near = t; }
    }
    return near;
}

static double cell(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

NOINLINE void spectral(int n) {
    for (int i = 0; i < n; i++) { double s = 0; for (int j = 0; j < n; j++) s += cell(i, j) * u[j]; v[i] = s; }
    for (int i = 0; i < n; i++) { double s = 0; for (int j = 0; j < n; j++) s += cell(j, i) * v[j]; u[i] = s; }
}

EXPORT u32 run(u32 n) {
    u32 seed = n;
    double sum = 0;
    for (int i = 0; i < 40; i++) for (int j = 0; j < 41; j++) a[i][j] = (next(&seed) & 1023) + (i == j) * 5000;
    eliminate(40);
    for (int i = 0; i < 256; i++) { re[i] = next(&seed) & 255; im[i] = 0; }
    transform(256);
    for (int i = 0; i < 34; i++) for (int j = 0; j < 34; j++) heat[0][i][j] = next(&seed) & 63;
    diffuse(10);
    for (int i = 0; i < 8; i++) balls[i] = (Ball){i - 4.0f, (i & 3) - 1.5f, 5.0f + i, 1.0f};
    for (int i = 0; i < 64 * 64; i++) image[i] = shoot((i & 63) / 32.0f - 1, (i >> 6) / 32.0f - 1, 0.1f, 0.1f, 0.98f);
    for (int i = 0; i < 60; i++) u[i] = 1;
    for (int i = 0; i < 5; i++) spectral(60);
    for (int i = 0; i < 40; i++) sum += x[i] + re[i] + heat[0][i & 31][3] + image[i * 50] + u[i];
    return (u32)(int)(sum * 16);
}
