/* Preloaded into an engine: fails chosen system calls on the store's files.
 *
 * FAULT_FILE is read again at each call, so that a test arms a fault while the engine runs:
 *
 *     CALL N WHAT
 *
 * CALL is pwrite64 or fdatasync. The N-th call from now on (from 1; 0: every one; N+: every one
 * from the N-th on) does WHAT: EIO, ENOSPC, EINTR (once, then the call is done), short (half of the
 * bytes, then the rest). Where a fault has struck, FAULT_FILE.struck holds a line for each, which
 * ends with the time, in milliseconds since 1970.
 *
 * SYNC_DELAY_US: each fdatasync of the store takes so many microseconds longer.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long calls;           /* since the fault in force was armed */
static struct timespec seen; /* when it was armed */
static _Thread_local int inside;

/* Is `fd` the database or its log? The lock and the ballast are not the store. */
static int is_store(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    const char *end = strrchr(path, '.');
    return end != NULL && (strcmp(end, ".db") == 0 || strcmp(end, ".db-wal") == 0);
}

/* Only the store's thread writes to the store, so nothing here is shared. */
static const char *fault(const char *call, int fd)
{
    static char what[16];
    const char *path = getenv("FAULT_FILE");
    if (inside || path == NULL || !is_store(fd))
        return NULL;
    inside = 1;
    char name[16] = "", from[2] = "";
    long n = -1;
    struct stat status;
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fstat(fileno(file), &status) == 0 &&
            (status.st_mtim.tv_sec != seen.tv_sec || status.st_mtim.tv_nsec != seen.tv_nsec)) {
            seen = status.st_mtim;
            calls = 0;
        }
        if (fscanf(file, "%15s %ld%1[+] %15s", name, &n, from, what) != 4) {
            rewind(file);
            if (fscanf(file, "%15s %ld %15s", name, &n, what) != 3)
                n = -1;
        }
        fclose(file);
    }
    const char *result = NULL;
    if (n >= 0 && strcmp(name, call) == 0) {
        calls++;
        if (n == 0 || calls == n || (from[0] == '+' && calls > n))
            result = what;
    }
    if (result != NULL) {
        char struck[4096];
        snprintf(struck, sizeof struck, "%s.struck", path);
        FILE *log = fopen(struck, "a");
        if (log != NULL) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            long long ms = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
            fprintf(log, "%s %ld %s %lld\n", call, calls, what, ms);
            fclose(log);
        }
    }
    inside = 0;
    return result;
}

static int number(const char *what)
{
    if (strcmp(what, "EIO") == 0)
        return EIO;
    return strcmp(what, "ENOSPC") == 0 ? ENOSPC : EINTR;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    static ssize_t (*next)(int, const void *, size_t, off64_t);
    if (next == NULL)
        next = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    const char *what = fault("pwrite64", fd);
    if (what == NULL)
        return next(fd, bytes, count, offset);
    if (strcmp(what, "short") == 0)
        return next(fd, bytes, count > 1 ? count / 2 : count, offset);
    errno = number(what);
    return -1;
}

int fdatasync(int fd)
{
    static int (*next)(int);
    if (next == NULL)
        next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    const char *what = fault("fdatasync", fd);
    if (what == NULL) {
        const char *delay = getenv("SYNC_DELAY_US");
        if (delay != NULL && is_store(fd))
            usleep((useconds_t)atol(delay));
        return next(fd);
    }
    errno = number(what);
    return -1;
}
