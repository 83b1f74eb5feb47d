// The system's libuv, and the few kernel calls that glibc's headers do not offer to Swift.
#ifndef HOLDFAST_CUV_SHIM_H
#define HOLDFAST_CUV_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static inline int holdfast_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static inline int holdfast_open(const char *path, int flags, int mode) {
  return open(path, flags, mode);
}

static inline int holdfast_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGTERM); }

// Two threads need no more arenas; each costs memory. What is large goes back to the system when it
// is freed: by itself glibc raises that bound with each large piece that it sees freed.
static inline void holdfast_limit_arenas(void) {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

// What was freed in pieces stays with the process until then.
static inline void holdfast_give_memory_back(void) { malloc_trim(0); }

// Swift does not import fork(); here it is called before any thread exists.
static inline pid_t holdfast_fork(void) { return fork(); }

struct holdfast_peer {
  unsigned uid;
  unsigned gid;
  int pid;
};

// Who called connect(), by the kernel's word; -1 with errno.
static inline int holdfast_get_peer(int fd, struct holdfast_peer *peer) {
  // The kernel's struct ucred. glibc shows it only with _GNU_SOURCE, which would give this module
  // other definitions of system types than Swift's own Glibc module has.
  struct {
    int pid;
    unsigned uid;
    unsigned gid;
  } credentials;
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return -1;
  peer->uid = credentials.uid;
  peer->gid = credentials.gid;
  peer->pid = credentials.pid;
  return 0;
}

// The peer's supplementary groups; `size` is in bytes, and told anew. -1 with errno (ERANGE: more).
static inline int holdfast_peer_groups(int fd, unsigned *groups, socklen_t *size) {
  return getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, size);
}

// A descriptor of the peer's process; -1 where the kernel has none.
static inline int holdfast_peer_pidfd(int fd) {
  int pidfd = -1;
  socklen_t size = sizeof pidfd;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) != 0)
    return -1;
  return pidfd;
}

// Binds `fd` to a path; -1 with errno.
static inline int holdfast_bind(int fd, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(address.sun_path, path, length + 1);
  return bind(fd, (struct sockaddr *)&address, sizeof address);
}

// Connects to a path; -1 with errno.
static inline int holdfast_connect(int fd, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(address.sun_path, path, length + 1);
  return connect(fd, (struct sockaddr *)&address, sizeof address);
}

#endif
