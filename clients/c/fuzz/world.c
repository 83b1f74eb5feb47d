/* Stands where the library asks the system: the linker leads these calls here (--wrap). */
#include "fuzz.h"
#include "link.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __real_epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms);

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms);
int64_t __wrap_hf_now_ms(void);
ssize_t __wrap_getrandom(void *bytes, size_t length, unsigned flags);
holdfast_status __wrap_hf_socket_connect(const hf_endpoint *endpoint, int *fd,
                                         holdfast_error **error);

/* Far from 0: some times of the library begin there. */
#define MORNING_MS 1000000

static struct {
    fuzz_input engine;
    bool greets;
    unsigned connections_left;
    int peer; /* the engine's end of the connection; -1: there is none */
    int64_t now;
    uint64_t chance;
} world = {.peer = -1, .now = MORNING_MS};

void fuzz_world_begin(fuzz_input engine, bool greets, unsigned connections_max)
{
    world.engine = engine;
    world.greets = greets;
    world.connections_left = connections_max;
    world.now = MORNING_MS;
    world.chance = 1;
}

static void hang_up(void)
{
    if (world.peer >= 0)
        close(world.peer);
    world.peer = -1;
}

bool fuzz_world_lives(void)
{
    return world.peer >= 0 || (world.connections_left > 0 && world.engine.left > 0);
}

void fuzz_world_end(void)
{
    hang_up();
}

static void say(holdfast_bytes bytes)
{
    if (send(world.peer, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)bytes.len)
        hang_up(); /* the library has closed its end, or does not read */
}

static void hear(void)
{
    char heard[4096];
    while (world.peer >= 0 && recv(world.peer, heard, sizeof heard, MSG_DONTWAIT) > 0)
        ;
}

/* What the engine does while the library waits; false: there is none. */
static bool step(void)
{
    hear();
    if (world.peer < 0)
        return false;
    if (world.engine.left == 0) {
        hang_up();
        return true;
    }
    uint8_t length = fuzz_byte(&world.engine);
    if (length > 0) {
        say(fuzz_take(&world.engine, length));
        return true;
    }
    uint8_t act = fuzz_byte(&world.engine);
    if (act == 0)
        hang_up();
    world.now += act * 500;
    return true;
}

/* Nothing will come any more: only time can end this wait. */
static void pass(int timeout_ms)
{
    FUZZ_CHECK(timeout_ms >= 0);
    world.now += timeout_ms;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    int ready = __real_poll(fds, count, 0);
    if (ready != 0)
        return ready;
    if (!step())
        pass(timeout_ms);
    return __real_poll(fds, count, 0);
}

int __wrap_epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
    int ready = __real_epoll_wait(epoll_fd, events, max, 0);
    if (ready != 0)
        return ready;
    if (!step())
        pass(timeout_ms);
    return __real_epoll_wait(epoll_fd, events, max, 0);
}

int64_t __wrap_hf_now_ms(void)
{
    return world.now;
}

ssize_t __wrap_getrandom(void *bytes, size_t length, unsigned flags)
{
    (void)flags;
    uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) {
        world.chance = world.chance * 6364136223846793005u + 1442695040888963407u;
        at[i] = (uint8_t)(world.chance >> 56);
    }
    return (ssize_t)length;
}

/* Welcome: protocol version 1, frames of 8 KiB, 20 streams, a credit of 2. */
static const char welcome[] = "\0\0\0\x0d\x1a\x0b\x08\x01\x22\x07\x08\x80\x40\x20\x14\x28\x02";

holdfast_status __wrap_hf_socket_connect(const hf_endpoint *endpoint, int *fd,
                                         holdfast_error **error)
{
    (void)endpoint;
    if (world.connections_left == 0)
        return hf_fail(error, HOLDFAST_DISCONNECTED, "the engine is gone");
    world.connections_left--;
    hang_up();
    int ends[2];
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    *fd = ends[0];
    world.peer = ends[1];
    if (world.greets)
        say((holdfast_bytes){welcome, sizeof welcome - 1});
    return HOLDFAST_OK;
}
