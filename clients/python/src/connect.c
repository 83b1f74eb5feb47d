/* Connecting in a way that Ctrl-C can end.
 *
 * libholdfast connects in one call. In the main thread a thread of our own makes that call, while
 * the main thread looks for signals; who of the two comes last to the attempt frees it.
 */
#include "client.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct attempt {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    holdfast_client_options options; /* its strings are in `text` */
    char *text;
    bool done;      /* the call has returned */
    bool abandoned; /* nobody waits for it */
    holdfast_status status;
    holdfast_client *client;
    holdfast_error *error;
} attempt;

static void free_attempt(attempt *a)
{
    holdfast_client_close(a->client);
    holdfast_error_free(a->error);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a->text);
    free(a);
}

static void copy(holdfast_string *string, char **at)
{
    if (string->len > 0)
        memcpy(*at, string->ptr, string->len);
    string->ptr = *at;
    *at += string->len;
}

static attempt *new_attempt(const holdfast_client_options *options)
{
    attempt *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->options = *options;
    holdfast_string *const strings[] = {
        &made->options.socket_path, &made->options.name_space,     &made->options.identity,
        &made->options.client_name, &made->options.client_version, &made->options.language,
    };
    const size_t count = sizeof strings / sizeof *strings;
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += strings[i]->len;
    char *at = made->text = malloc(size);
    if (at == NULL) {
        free(made);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        copy(strings[i], &at);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&made->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&made->lock, NULL);
    return made;
}

static void *run(void *argument)
{
    attempt *a = argument;
    holdfast_client *client = NULL;
    holdfast_error *error = NULL;
    holdfast_status status = holdfast_client_connect(&a->options, &client, &error);
    pthread_mutex_lock(&a->lock);
    a->status = status;
    a->client = client;
    a->error = error;
    a->done = true;
    bool is_last = a->abandoned;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    if (is_last)
        free_attempt(a);
    return NULL;
}

static bool begin(attempt *a)
{
    /* Signals are the main thread's. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    bool begun = pthread_create(&thread, NULL, run, a) == 0;
    if (begun)
        pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return begun;
}

/* Waits for a step; true: done. */
static bool wait_step(attempt *a)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += PYHF_STEP_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&a->lock);
    while (!a->done && pthread_cond_timedwait(&a->changed, &a->lock, &until) == 0)
        ;
    bool done = a->done;
    pthread_mutex_unlock(&a->lock);
    return done;
}

static void abandon(attempt *a)
{
    pthread_mutex_lock(&a->lock);
    bool is_last = a->done;
    a->abandoned = true;
    pthread_mutex_unlock(&a->lock);
    if (is_last)
        free_attempt(a);
}

static bool connect_in_thread(attempt *a, holdfast_client **client)
{
    for (bool done = false; !done;) {
        Py_BEGIN_ALLOW_THREADS
        done = wait_step(a);
        Py_END_ALLOW_THREADS
        if (!done && PyErr_CheckSignals() < 0) {
            abandon(a);
            return false;
        }
    }
    *client = a->client;
    a->client = NULL;
    holdfast_status status = a->status;
    holdfast_error *error = a->error;
    a->error = NULL;
    free_attempt(a);
    if (status != HOLDFAST_OK)
        pyhf_raise(status, error);
    return status == HOLDFAST_OK;
}

bool pyhf_connect(const holdfast_client_options *options, bool is_main, holdfast_client **client)
{
    *client = NULL;
    if (is_main) {
        attempt *a = new_attempt(options);
        if (a == NULL) {
            PyErr_NoMemory();
            return false;
        }
        if (begin(a))
            return connect_in_thread(a, client);
        /* No thread to be had: without signals, then. */
        free_attempt(a);
    }
    holdfast_status status;
    holdfast_error *error = NULL;
    Py_BEGIN_ALLOW_THREADS
    status = holdfast_client_connect(options, client, &error);
    Py_END_ALLOW_THREADS
    if (status != HOLDFAST_OK)
        pyhf_raise(status, error);
    return status == HOLDFAST_OK;
}
