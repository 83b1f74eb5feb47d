/* The engine's socket: where it is, and who is behind it. */
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

char *hf_socket_default_path(void)
{
    const char *path = getenv("HOLDFAST_SOCKET");
    if (path != NULL && path[0] != '\0')
        return hf_string_copy(holdfast_str(path));
    const char *directory = getenv("XDG_RUNTIME_DIR");
    if (directory == NULL || directory[0] == '\0')
        return hf_string_copy(holdfast_str("/run/holdfast/holdfast.sock"));
    const char *rest = "/holdfast/holdfast.sock";
    size_t size = strlen(directory) + strlen(rest) + 1;
    char *joined = malloc(size);
    if (joined != NULL)
        snprintf(joined, size, "%s%s", directory, rest);
    return joined;
}

char *hf_default_identity(void)
{
    char host[128] = "localhost", text[192];
    if (gethostname(host, sizeof host - 1) != 0 || hf_utf8_fault(host, strlen(host)) != NULL)
        snprintf(host, sizeof host, "localhost");
    snprintf(text, sizeof text, "%ld@%s", (long)getpid(), host);
    return hf_string_copy(holdfast_str(text));
}

static holdfast_status refused(const hf_endpoint *endpoint, int fault, holdfast_error **error)
{
    holdfast_status status = HOLDFAST_SYSTEM_ERROR;
    if (fault == EACCES || fault == EPERM)
        status = HOLDFAST_PERMISSION_DENIED;
    else if (fault == ENOENT || fault == ECONNREFUSED || fault == EAGAIN || fault == ENOTDIR)
        status = HOLDFAST_DISCONNECTED;
    return hf_fail(error, status, "no engine at %s: %s", endpoint->path,
                   fault == EAGAIN ? "it accepts no connections" : strerror(fault));
}

static holdfast_status check_peer(const hf_endpoint *endpoint, int fd, holdfast_error **error)
{
    if (!endpoint->require_uid)
        return HOLDFAST_OK;
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return hf_fail(error, HOLDFAST_SYSTEM_ERROR, "SO_PEERCRED: %s", strerror(errno));
    if (peer.uid == endpoint->uid)
        return HOLDFAST_OK;
    return hf_fail(error, HOLDFAST_PERMISSION_DENIED, "the engine at %s runs as uid %u, not %u",
                   endpoint->path, (unsigned)peer.uid, (unsigned)endpoint->uid);
}

holdfast_status hf_socket_connect(const hf_endpoint *endpoint, int *fd, holdfast_error **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(endpoint->path);
    if (length >= sizeof address.sun_path)
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "socket_path",
                             "the socket's path is longer than %zu bytes",
                             sizeof address.sun_path - 1);
    memcpy(address.sun_path, endpoint->path, length + 1);
    int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        return hf_fail(error, HOLDFAST_SYSTEM_ERROR, "socket: %s", strerror(errno));
    int result;
    do {
        result = connect(made, (const struct sockaddr *)&address, sizeof address);
    } while (result != 0 && errno == EINTR);
    holdfast_status status =
        result != 0 ? refused(endpoint, errno, error) : check_peer(endpoint, made, error);
    if (status != HOLDFAST_OK) {
        close(made);
        return status;
    }
    *fd = made;
    return HOLDFAST_OK;
}
