/* Floating point on structures and in locals: integrators, vectors, filters, curves, noise, statistics; f64 and f32. */
#include "corpus.h"
typedef struct { double x, y, z; } V3;
typedef struct { double w, x, y, z; } Q;
typedef struct { float x, y, u, v; } Bird;
typedef struct { double at, speed, mass, pull; } Bead;
static V3 points[64], normals[64];
static Q spins[16];
static Bird birds[24];
static Bead beads[40];
static double samples[512], taps[16], grid[18][18], basis[8][8], tile[64], weights[6][5], layer[6];
static float left[256], right[256], wave[256];

NOINLINE double dot(const V3 *a, const V3 *b) { return a->x * b->x + a->y * b->y + a->z * b->z; }
NOINLINE void cross(V3 *r, const V3 *a, const V3 *b) { r->x = a->y * b->z - a->z * b->y; r->y = a->z * b->x - a->x * b->z; r->z = a->x * b->y - a->y * b->x; }
NOINLINE void unit(V3 *a) { double s = 1 / __builtin_sqrt(dot(a, a)); a->x *= s; a->y *= s; a->z *= s; }
NOINLINE void turn(Q *p, const Q *q) {
    double w = p->w * q->w - p->x * q->x - p->y * q->y - p->z * q->z, x = p->w * q->x + p->x * q->w + p->y * q->z - p->z * q->y;
    double y = p->w * q->y - p->x * q->z + p->y * q->w + p->z * q->x, z = p->w * q->z + p->x * q->y - p->y * q->x + p->z * q->w;
    p->w = w; p->x = x; p->y = y; p->z = z;
}
NOINLINE double butterfly(int n) {
    double x = 1, y = 1, z = 1, h = 0.01;
    while (n-- > 0) { double dx = 10 * (y - x), dy = x * (28 - z) - y, dz = x * y - z * 2.6; x += h * dx; y += h * dy; z += h * dz; }
    return x + y + z;
}
NOINLINE double swing(double angle, int n) {
    double speed = 0;
    for (int i = 0; i < n; i++) {
        double s = angle - angle * angle * angle / 6 + angle * angle * angle * angle * angle / 120;
        speed -= 0.02 * s; angle += 0.02 * speed;
        if (angle > 3) angle -= 6; else if (angle < -3) angle += 6;
    }
    return angle;
}
NOINLINE void chain(int n, int rounds) {
    for (int r = 0; r < rounds; r++) {
        for (int i = 1; i < n - 1; i++) beads[i].pull = (beads[i - 1].at + beads[i + 1].at - 2 * beads[i].at) / beads[i].mass;
        for (int i = 1; i < n - 1; i++) { beads[i].speed = beads[i].speed * 0.999 + beads[i].pull * 0.05; beads[i].at += beads[i].speed; }
    }
}
NOINLINE void flock(int n) {
    for (int i = 0; i < n; i++) {
        float cx = 0, cy = 0, close = 0;
        for (int j = 0; j < n; j++) {
            float dx = birds[j].x - birds[i].x, dy = birds[j].y - birds[i].y, d = dx * dx + dy * dy;
            if (d > 0.01f && d < 4.0f) { cx += dx / d; cy += dy / d; close += 1; }
        }
        if (close > 0) { birds[i].u += cx / close * 0.1f; birds[i].v += cy / close * 0.1f; }
        birds[i].x += birds[i].u; birds[i].y += birds[i].v;
    }
}
NOINLINE double smooth(int n, int m) {
    double sum = 0;
    for (int i = 0; i + m <= n; i++) { double s = 0; for (int j = 0; j < m; j++) s += samples[i + j] * taps[j]; sum += s * s; }
    return sum;
}
NOINLINE void resonate(int n) {
    float a = 0, b = 0;
    for (int i = 0; i < n; i++) { float y = left[i] + 1.8f * a - 0.9f * b; b = a; a = y; wave[i] = y * 0.5f; }
}
NOINLINE void mix2(int n, float gain) {
    for (int i = 0; i < n; i++) {
        float s = left[i] * gain + right[i] * (1 - gain);
        wave[i] = s > 1 ? 1 : s < -1 ? -1 : s;
    }
}
NOINLINE double curve(double a, double b, double c, double d, int n) {
    double sum = 0;
    for (int i = 0; i <= n; i++) { double t = (double)i / n, u = 1 - t; sum += a * u * u * u + 3 * b * u * u * t + 3 * c * u * t * t + d * t * t * t; }
    return sum;
}
NOINLINE double horner(const double *p, int n, double x) { double s = p[n - 1]; for (int i = n - 2; i >= 0; i--) s = s * x + p[i]; return s; }
NOINLINE double root(double x) { double r = x > 1 ? x / 2 : 1; for (int i = 0; i < 30; i++) { double next = (r + x / r) * 0.5, d = next - r; r = next; if (d * d < 1e-20) break; } return r; }
NOINLINE int newton(double x, double y) {
    int n = 0;
    for (; n < 40; n++) {
        double x2 = x * x, y2 = y * y, d = 3 * (x2 + y2) * (x2 + y2);
        if (d < 1e-12) break;
        double nx = (2 * x * d / 3 + x2 - y2) / d, ny = (2 * y * d / 3 - 2 * x * y) / d;
        if (__builtin_fabs(nx - x) + __builtin_fabs(ny - y) < 1e-6) return n;
        x = nx; y = ny;
    }
    return n;
}
NOINLINE void relax(int n, int rounds) {
    for (int r = 0; r < rounds; r++)
        for (int i = 1; i <= n; i++)
            for (int j = 1; j <= n; j++) {
                double v = (grid[i - 1][j] + grid[i + 1][j] + grid[i][j - 1] + grid[i][j + 1]) * 0.25;
                grid[i][j] += 1.5 * (v - grid[i][j]);
            }
}
NOINLINE void cosine(void) {
    double out[64];
    for (int u = 0; u < 8; u++)
        for (int v = 0; v < 8; v++) {
            double s = 0;
            for (int i = 0; i < 8; i++) for (int j = 0; j < 8; j++) s += tile[i * 8 + j] * basis[u][i] * basis[v][j];
            out[u * 8 + v] = s;
        }
    for (int i = 0; i < 64; i++) tile[i] = out[i];
}
NOINLINE double spread(int n) {
    double mean = 0, m2 = 0;
    for (int i = 0; i < n; i++) { double d = samples[i] - mean; mean += d / (i + 1); m2 += d * (samples[i] - mean); }
    return m2 / n + mean;
}
NOINLINE double pi(u32 seed, int n) {
    int in = 0;
    for (int i = 0; i < n; i++) { double x = next(&seed) / 4294967296.0, y = next(&seed) / 4294967296.0; in += x * x + y * y <= 1; }
    return 4.0 * in / n;
}
NOINLINE void fire(const double *in) { for (int i = 0; i < 6; i++) { double s = 0; for (int j = 0; j < 5; j++) s += weights[i][j] * in[j]; layer[i] = s > 0 ? s : s * 0.01; } }
NOINLINE int nearest(const V3 *p, int n) {
    int best = 0; double least = 1e300;
    for (int i = 0; i < n; i++) { V3 d = {points[i].x - p->x, points[i].y - p->y, points[i].z - p->z}; double s = dot(&d, &d); if (s < least) { least = s; best = i; } }
    return best;
}
NOINLINE void bounds(V3 *low, V3 *high, int n) {
    *low = *high = points[0];
    for (int i = 1; i < n; i++) {
        if (points[i].x < low->x) low->x = points[i].x; if (points[i].x > high->x) high->x = points[i].x;
        if (points[i].y < low->y) low->y = points[i].y; if (points[i].y > high->y) high->y = points[i].y;
        if (points[i].z < low->z) low->z = points[i].z; if (points[i].z > high->z) high->z = points[i].z;
    }
}
NOINLINE float hill(float x, float y) {
    int i = (int)x, j = (int)y; float fx = x - i, fy = y - j;
    float a = left[(i * 7 + j) & 255], b = left[(i * 7 + j + 7) & 255], c = left[(i * 7 + j + 1) & 255], d = left[(i * 7 + j + 8) & 255];
    float sx = fx * fx * (3 - 2 * fx), sy = fy * fy * (3 - 2 * fy), top = a + (b - a) * sx, low = c + (d - c) * sx;
    return top + (low - top) * sy;
}
EXPORT u32 run(u32 n) {
    u32 seed = n | 1; V3 low, high, c = {0, 0, 1}; double sum = 0;
    for (int i = 0; i < 64; i++) { points[i] = (V3){next(&seed) & 255, next(&seed) & 255, next(&seed) & 255}; unit(&points[i]); cross(&normals[i], &points[i], &c); tile[i] = i & 7; }
    for (int i = 0; i < 16; i++) { spins[i] = (Q){1, 0.1 * i, 0.2, 0.3}; turn(&spins[i], &spins[i / 2]); taps[i] = 1.0 / (i + 1); }
    for (int i = 0; i < 24; i++) birds[i] = (Bird){i % 5, i / 5, 0, 0};
    for (int i = 0; i < 40; i++) beads[i] = (Bead){i & 3, 0, 1 + (i & 1), 0};
    for (int i = 0; i < 512; i++) samples[i] = (int)(next(&seed) & 1023) - 512;
    for (int i = 0; i < 256; i++) { left[i] = (next(&seed) & 255) / 128.0f - 1; right[i] = -left[i]; }
    for (int i = 0; i < 64; i++) { grid[i & 15][i & 7] = i; basis[i >> 3][i & 7] = (i * 7 & 15) / 8.0 - 1; weights[i % 6][i % 5] = i - 30; }
    chain(40, 20); flock(24); resonate(256); mix2(256, 0.3f); relax(16, 8); cosine(); fire(samples); bounds(&low, &high, 64);
    sum = butterfly(300) + swing(1, 200) + smooth(512, 16) + curve(1, 2, 3, 4, 50) + horner(samples, 20, 0.5) + root(n) + spread(512) + pi(seed, 200) + low.x + high.y + layer[2];
    for (int i = 0; i < 40; i++) sum += newton(i * 0.1, 1) + hill(i * 0.3f, i * 0.2f) + nearest(&normals[i], 64) + wave[i] + dot(&points[i], &normals[i]) + spins[i & 15].x + beads[i].at + birds[i % 24].x + tile[i];
    return (u32)(int)sum;
}
