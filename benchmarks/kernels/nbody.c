/* Planets under gravity: f64 arithmetic with square roots on an array of structures. n is the number of time steps. */
#include "kernel.h"

#define BODIES 5
#define STEP 0.01

typedef struct { double x, y, z, vx, vy, vz, mass; } Body;

static Body bodies[BODIES];

/* Made-up planets: a heavy body in the middle, four light ones on inclined, roughly circular orbits. */
static void start(void) {
    bodies[0] = (Body){ 0, 0, 0, 0, 0, 0, 40 };
    for (u32 i = 1; i < BODIES; i++) {
        double r = 4.0 + 5.0 * i, v = __builtin_sqrt(40 / r);
        double side = i & 1 ? 1 : -1;
        bodies[i] = (Body){ side * r, 0.1 * i, 0.05 * r, -0.1 * v, side * v, 0.02 * v, 0.03 / i };
    }
}

static NOINLINE void attract(Body *p, Body *q) {
    double dx = p->x - q->x, dy = p->y - q->y, dz = p->z - q->z;
    double square = dx * dx + dy * dy + dz * dz;
    double pull = STEP / (square * __builtin_sqrt(square));
    p->vx -= dx * q->mass * pull, p->vy -= dy * q->mass * pull, p->vz -= dz * q->mass * pull;
    q->vx += dx * p->mass * pull, q->vy += dy * p->mass * pull, q->vz += dz * p->mass * pull;
}

EXPORT(run) u32 run(u32 n) {
    u32 sum = 0;
    start();
    for (u32 step = 0; step < n; step++) {
        for (u32 i = 0; i < BODIES; i++)
            for (u32 j = i + 1; j < BODIES; j++) attract(&bodies[i], &bodies[j]);
        for (u32 i = 0; i < BODIES; i++) {
            bodies[i].x += STEP * bodies[i].vx;
            bodies[i].y += STEP * bodies[i].vy;
            bodies[i].z += STEP * bodies[i].vz;
        }
    }
    for (u32 i = 0; i < BODIES; i++) sum = mix(mix(mix(sum, fold(bodies[i].x)), fold(bodies[i].y)), fold(bodies[i].z));
    return sum;
}
