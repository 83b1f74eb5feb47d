/* Preloaded into an engine: the machine's wall clock is CLOCK_AHEAD_S seconds ahead, as for an
 * engine that has been away for so long.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time)
{
    const char *ahead = getenv("CLOCK_AHEAD_S");
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && ahead != NULL)
        time->tv_sec += atol(ahead);
    return result;
}
