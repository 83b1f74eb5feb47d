#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define HF_READ_CHUNK (64u * 1024u)
/* Bytes taken per turn, so that sending and timers get their share. */
#define HF_READ_TURN_MAX (512u * 1024u)

holdfast_status hf_endpoint_init(hf_endpoint *endpoint, holdfast_string path,
                                 holdfast_string identity, holdfast_error **error)
{
    if (hf_utf8_fault(identity.ptr, identity.len) != NULL)
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "identity", "identity %s",
                             hf_utf8_fault(identity.ptr, identity.len));
    if (path.len > 0 && memchr(path.ptr, 0, path.len) != NULL)
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "socket_path",
                             "socket_path contains NUL");
    endpoint->path = path.len > 0 ? hf_string_copy(path) : hf_socket_default_path();
    endpoint->identity = identity.len > 0 ? hf_string_copy(identity) : hf_default_identity();
    if (endpoint->path == NULL || endpoint->identity == NULL)
        return hf_fail(error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    return HOLDFAST_OK;
}

void hf_endpoint_free(hf_endpoint *endpoint)
{
    free(endpoint->path);
    free(endpoint->identity);
    free(endpoint->name);
    free(endpoint->version);
    free(endpoint->language);
    *endpoint = (hf_endpoint){0};
}

holdfast_status hf_link_init(hf_link *link, holdfast_error **error)
{
    *link = (hf_link){.fd = -1};
    pthread_cond_init(&link->written, NULL);
    link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    link->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = link->wake_fd};
    if (link->wake_fd < 0 || link->epoll_fd < 0 ||
        epoll_ctl(link->epoll_fd, EPOLL_CTL_ADD, link->wake_fd, &event) != 0)
        return hf_fail(error, HOLDFAST_SYSTEM_ERROR, "eventfd, epoll: %s", strerror(errno));
    return HOLDFAST_OK;
}

void hf_link_forget(const hf_link *link)
{
    const int fds[] = {link->fd, link->wake_fd, link->epoll_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

void hf_link_destroy(hf_link *link)
{
    hf_link_forget(link);
    link->fd = link->wake_fd = link->epoll_fd = -1;
    holdfast_connection_free(link->connection);
    link->connection = NULL;
    hf_buffer_free(&link->inflight);
    pthread_cond_destroy(&link->written);
}

void hf_link_wake(const hf_link *link)
{
    uint64_t one = 1;
    int fault = errno; /* this may run inside a signal handler */
    ssize_t ignored = write(link->wake_fd, &one, sizeof one);
    (void)ignored; /* a full counter wakes as well */
    errno = fault;
}

void hf_link_rest(const hf_link *link)
{
    uint64_t count;
    ssize_t ignored = read(link->wake_fd, &count, sizeof count);
    (void)ignored;
}

/* Whoever sends may find the socket full: who waits for epoll_fd then learns when it is not. */
static bool watch(hf_link *link)
{
    uint32_t wanted = EPOLLIN | (link->blocked ? (uint32_t)EPOLLOUT : 0);
    if (link->fd < 0 || link->muted)
        wanted = 0;
    if (wanted == link->watched)
        return true;
    int change = link->watched == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    struct epoll_event event = {.events = wanted, .data.fd = link->fd};
    if (epoll_ctl(link->epoll_fd, change, link->fd, &event) != 0)
        return false;
    link->watched = wanted;
    return true;
}

void hf_link_mute(hf_link *link, bool muted)
{
    link->muted = muted;
    watch(link);
}

static void drop(hf_link *link)
{
    /* First: where a forked child has a copy of the socket, closing would leave it in the epoll. */
    hf_link_mute(link, true);
    close(link->fd);
    link->fd = -1;
    holdfast_connection_free(link->connection);
    link->connection = NULL;
    hf_buffer_reset(&link->inflight);
    link->watched = 0;
    link->muted = link->blocked = link->broken = false;
}

holdfast_status hf_link_open(hf_link *link, const hf_endpoint *endpoint, int64_t now_ms,
                             holdfast_error **error)
{
    int fd = -1;
    holdfast_status status = hf_socket_connect(endpoint, &fd, error);
    if (status != HOLDFAST_OK)
        return status;
    holdfast_connection_options options = {.struct_size = sizeof options,
                                           .client_name = holdfast_str(endpoint->name),
                                           .client_version = holdfast_str(endpoint->version),
                                           .language = holdfast_str(endpoint->language),
                                           .identity = holdfast_str(endpoint->identity)};
    status = holdfast_connection_create(&options, now_ms, &link->connection);
    if (status != HOLDFAST_OK) {
        close(fd);
        return hf_fail(error, status, "%s", holdfast_strerror(status));
    }
    link->fd = fd;
    link->muted = link->blocked = link->broken = false;
    hf_buffer_reset(&link->inflight);
    if (watch(link))
        return HOLDFAST_OK;
    status = hf_fail(error, HOLDFAST_SYSTEM_ERROR, "epoll: %s", strerror(errno));
    drop(link);
    return status;
}

void hf_link_close(hf_link *link, pthread_mutex_t *lock)
{
    while (link->writing)
        pthread_cond_wait(&link->written, lock);
    if (link->fd >= 0)
        drop(link);
}

bool hf_link_has_pending(const hf_link *link)
{
    return link->fd >= 0 && !link->broken &&
           (hf_buffer_length(&link->inflight) > 0 || hf_buffer_length(&link->connection->out) > 0);
}

static ssize_t send_some(int fd, holdfast_bytes bytes)
{
    ssize_t sent;
    do {
        sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent;
}

void hf_link_write(hf_link *link, pthread_mutex_t *lock)
{
    if (link->writing || link->blocked)
        return;
    link->writing = true;
    while (hf_link_has_pending(link)) {
        if (hf_buffer_length(&link->inflight) == 0)
            hf_connection_take(link->connection, &link->inflight);
        holdfast_bytes bytes = hf_buffer_view(&link->inflight);
        int fd = link->fd;
        pthread_mutex_unlock(lock);
        ssize_t sent = send_some(fd, bytes);
        int fault = errno;
        pthread_mutex_lock(lock);
        if (sent >= 0) {
            hf_buffer_consume(&link->inflight, (size_t)sent);
        } else if (fault == EAGAIN || fault == EWOULDBLOCK) {
            link->blocked = true;
            break;
        } else {
            link->broken = true;
        }
    }
    link->writing = false;
    watch(link);
    pthread_cond_broadcast(&link->written);
}

void hf_link_read(hf_link *link, int64_t now_ms)
{
    size_t total = 0;
    while (total < HF_READ_TURN_MAX) {
        size_t room = 0;
        uint8_t *at = hf_connection_reserve(link->connection, HF_READ_CHUNK, &room);
        if (at == NULL) {
            holdfast_error *error = NULL;
            hf_fail(&error, HOLDFAST_OUT_OF_MEMORY, "out of memory while receiving");
            hf_connection_fail(link->connection, error);
            return;
        }
        ssize_t got = recv(link->fd, at, room, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (link->broken)
                holdfast_connection_receive_end(link->connection);
            return;
        }
        if (got <= 0) {
            holdfast_connection_receive_end(link->connection);
            return;
        }
        hf_connection_commit(link->connection, (size_t)got, now_ms);
        total += (size_t)got;
        if ((size_t)got < room)
            return;
    }
}
