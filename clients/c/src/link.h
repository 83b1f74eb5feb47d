/* A connection and its socket. The owner's lock guards everything; it is released while bytes are
 * being sent, so that others can queue more, which the sender then takes along. */
#ifndef HF_LINK_H
#define HF_LINK_H

#include "connection.h"

/* Where and as whom to connect. Strings are owned by the client or the worker. */
typedef struct hf_endpoint {
    char *path, *identity, *name, *version, *language;
    bool require_uid;
    uint32_t uid;
} hf_endpoint;

/* Copies and checks; empty strings get their defaults. */
holdfast_status hf_endpoint_init(hf_endpoint *endpoint, holdfast_string path,
                                 holdfast_string identity, holdfast_error **error);
void hf_endpoint_free(hf_endpoint *endpoint);

typedef struct hf_link {
    int fd; /* -1: none */
    /* Readable when the socket has something for the owner or hf_link_wake was called; the same one
     * for the owner's whole life. */
    int epoll_fd;
    int wake_fd;
    uint32_t watched; /* events of the socket that epoll_fd tells */
    bool muted;       /* none: somebody else waits for them */
    holdfast_connection *connection;
    hf_buffer inflight; /* being sent, by the one who set `writing` */
    bool writing;
    bool blocked; /* the socket takes no more: wait until it is writable */
    bool broken;  /* sending failed: read what is left, then it is over */
    pthread_cond_t written;
} hf_link;

/* SYSTEM_ERROR: no descriptors; the link is to be destroyed all the same. */
holdfast_status hf_link_init(hf_link *link, holdfast_error **error);
void hf_link_destroy(hf_link *link);
/* Closes a forked child's copies of the descriptors, and touches nothing else. */
void hf_link_forget(const hf_link *link);
/* Makes epoll_fd readable until hf_link_rest. Needs no lock; safe in a signal handler. */
void hf_link_wake(const hf_link *link);
void hf_link_rest(const hf_link *link);
/* Keeps the socket, this one only, out of epoll_fd, or puts it back. */
void hf_link_mute(hf_link *link, bool muted);
/* Connects and queues the Hello. */
holdfast_status hf_link_open(hf_link *link, const hf_endpoint *endpoint, int64_t now_ms,
                             holdfast_error **error);
/* Waits for a sender to be done, then frees connection and socket. */
void hf_link_close(hf_link *link, pthread_mutex_t *lock);
/* Sends what is pending until the socket is full. Returns at once when another thread is at it. */
void hf_link_write(hf_link *link, pthread_mutex_t *lock);
/* Receives what is there, a bounded amount; the owner then takes the connection's events. */
void hf_link_read(hf_link *link, int64_t now_ms);
bool hf_link_has_pending(const hf_link *link);

/* socket.c */
holdfast_status hf_socket_connect(const hf_endpoint *endpoint, int *fd, holdfast_error **error);
char *hf_socket_default_path(void);
char *hf_default_identity(void);

#endif
