#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static void destroy(holdfast_worker *worker)
{
    hf_registration *registration = worker->registrations;
    while (registration != NULL) {
        hf_registration *next = registration->next;
        free(registration);
        registration = next;
    }
    for (size_t i = 0; i < worker->workflow_types_count && worker->workflow_types != NULL; i++)
        free(worker->workflow_types[i]);
    free(worker->workflow_types);
    free(worker->name_space);
    free(worker->task_queue);
    free(worker->build_id);
    free(worker->sdk_name);
    free(worker->sdk_version);
    hf_endpoint_free(&worker->endpoint);
    holdfast_error_free(worker->last_error);
    holdfast_error_free(worker->fatal);
    hf_buffer_free(&worker->body);
    hf_table_free(&worker->workflow_tasks);
    hf_table_free(&worker->workflow_runs);
    hf_table_free(&worker->activities);
    hf_table_free(&worker->results);
    hf_table_free(&worker->leaves);
    pthread_cond_destroy(&worker->jobs_changed);
    pthread_mutex_destroy(&worker->lock);
    hf_fork_guard_free(&worker->guard);
    free(worker);
}

void hf_worker_retain(holdfast_worker *worker)
{
    atomic_fetch_add(&worker->references, 1);
}

void hf_worker_release(holdfast_worker *worker)
{
    if (atomic_fetch_sub(&worker->references, 1) == 1)
        destroy(worker);
}

holdfast_status hf_worker_check(holdfast_worker *worker, holdfast_error **error)
{
    if (error != NULL)
        *error = NULL;
    if (worker == NULL)
        return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "worker is NULL");
    if (hf_forked(&worker->guard))
        return hf_fail(error, HOLDFAST_FORKED, "%s", holdfast_strerror(HOLDFAST_FORKED));
    return HOLDFAST_OK;
}

/* Copies strings of the options; the first fault sticks. */
typedef struct hf_copier {
    holdfast_status status;
    holdfast_error **error;
} hf_copier;

static char *copy(hf_copier *copier, holdfast_string value, const char *fallback, const char *field)
{
    if (copier->status != HOLDFAST_OK)
        return NULL;
    const char *what = hf_utf8_fault(value.ptr, value.len);
    if (what != NULL) {
        copier->status =
            hf_fail_field(copier->error, HOLDFAST_BAD_ARGUMENT, field, "%s %s", field, what);
        return NULL;
    }
    char *made = hf_string_copy(value.len > 0 ? value : holdfast_str(fallback));
    if (made == NULL)
        copier->status = hf_fail(copier->error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    return made;
}

static void copy_types(holdfast_worker *worker, const holdfast_worker_options *options,
                       hf_copier *copier)
{
    size_t count = options->workflow_types_count;
    if (count == 0 || copier->status != HOLDFAST_OK)
        return;
    if (options->workflow_types == NULL) {
        copier->status = hf_fail_field(copier->error, HOLDFAST_BAD_ARGUMENT, "workflow_types",
                                       "workflow_types is NULL");
        return;
    }
    worker->workflow_types = calloc(count, sizeof *worker->workflow_types);
    if (worker->workflow_types == NULL) {
        copier->status = hf_fail(copier->error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
        return;
    }
    worker->workflow_types_count = count;
    for (size_t i = 0; i < count; i++)
        worker->workflow_types[i] = copy(copier, options->workflow_types[i], "", "workflow_types");
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

static uint32_t processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 2 ? 2 : count > 1024 ? 1024 : (uint32_t)count;
}

static holdfast_status configure(holdfast_worker *worker, const holdfast_worker_options *options,
                                 holdfast_error **error)
{
    if (options->task_queue.len == 0)
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "task_queue", "task_queue is empty");
    hf_endpoint *endpoint = &worker->endpoint;
    hf_copier copier = {HOLDFAST_OK, error};
    copier.status = hf_endpoint_init(endpoint, options->socket_path, options->identity, error);
    worker->name_space = copy(&copier, options->name_space, "", "namespace");
    worker->task_queue = copy(&copier, options->task_queue, "", "task_queue");
    worker->build_id = copy(&copier, options->build_id, "", "build_id");
    worker->sdk_name = copy(&copier, options->sdk_name, "libholdfast", "sdk_name");
    worker->sdk_version =
        copy(&copier, options->sdk_version, HOLDFAST_VERSION_STRING, "sdk_version");
    endpoint->name = copy(&copier, options->sdk_name, "libholdfast", "sdk_name");
    endpoint->version = copy(&copier, options->sdk_version, HOLDFAST_VERSION_STRING, "sdk_version");
    endpoint->language = copy(&copier, options->language, "c", "language");
    copy_types(worker, options, &copier);
    endpoint->require_uid = options->require_server_uid;
    endpoint->uid = options->server_uid;
    bool has_types = worker->workflow_types_count > 0;
    worker->activities_max = or_default(options->max_concurrent_activities, 100);
    worker->workflow_tasks_max =
        has_types ? or_default(options->max_concurrent_workflow_tasks, 100) : 0;
    worker->cached_runs_max = has_types ? or_default(options->cached_runs_max, 1000) : 0;
    worker->threads = or_default(options->threads, processors());
    worker->grace_ms = options->grace_ms != 0 ? options->grace_ms : 10000;
    worker->reconnect = options->reconnect;
    return copier.status;
}

holdfast_status holdfast_worker_create(const holdfast_worker_options *options,
                                       holdfast_worker **worker, holdfast_error **error)
{
    if (error != NULL)
        *error = NULL;
    if (worker != NULL)
        *worker = NULL;
    if (worker == NULL || options == NULL)
        return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "options or worker is NULL");
    if (options->struct_size != sizeof *options)
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "struct_size",
                             "struct_size is %u, not %zu", options->struct_size, sizeof *options);
    holdfast_worker *made = calloc(1, sizeof *made);
    if (made == NULL)
        return hf_fail(error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    atomic_init(&made->references, 1);
    hf_fork_guard_init(&made->guard);
    pthread_mutex_init(&made->lock, NULL);
    hf_condition_init(&made->jobs_changed);
    made->next_heartbeat = HF_NEVER;
    made->grace_until = HF_NEVER;
    holdfast_status status = hf_link_init(&made->link, error);
    if (status == HOLDFAST_OK)
        status = configure(made, options, error);
    if (status == HOLDFAST_OK && !hf_random(made->resume_token, sizeof made->resume_token))
        status = hf_fail(error, HOLDFAST_SYSTEM_ERROR, "getrandom: %s", strerror(errno));
    if (status != HOLDFAST_OK) {
        holdfast_worker_free(made);
        return status;
    }
    *worker = made;
    return HOLDFAST_OK;
}

/* Nothing of the worker is used any more but its lock and `closed`, by activities still held. */
static void abandon_work(holdfast_worker *worker)
{
    hf_worker_drop_workflow_tasks(worker);
    hf_task *task;
    while ((task = hf_worker_pop_task(worker)) != NULL)
        holdfast_task_free(&task->public);
    while (worker->jobs != NULL) {
        holdfast_activity *next = worker->jobs->next;
        holdfast_activity_release(worker->jobs);
        worker->jobs = next;
    }
    hf_node *node;
    while ((node = hf_table_next(&worker->activities, NULL)) != NULL) {
        hf_table_remove(&worker->activities, node);
        holdfast_activity *activity = HF_CONTAINER(node, holdfast_activity, node);
        activity->ended = true;
        holdfast_activity_release(activity);
    }
    while ((node = hf_table_next(&worker->results, NULL)) != NULL) {
        hf_table_remove(&worker->results, node);
        free(HF_CONTAINER(node, hf_result, node));
    }
}

void holdfast_worker_free(holdfast_worker *worker)
{
    if (worker == NULL)
        return;
    if (hf_forked(&worker->guard)) {
        /* The parent's threads and locks are not here: only the descriptors are safe to touch. */
        hf_link_forget(&worker->link);
        return;
    }
    while (atomic_load(&worker->visitors) > 0)
        sched_yield();
    hf_worker_retain(worker);
    pthread_mutex_lock(&worker->lock);
    worker->closed = true;
    abandon_work(worker);
    /* A thread that has just completed an activity may still be sending for others. */
    hf_link_close(&worker->link, &worker->lock);
    hf_link_destroy(&worker->link);
    pthread_mutex_unlock(&worker->lock);
    hf_worker_release(worker);
    hf_worker_release(worker);
}

holdfast_status holdfast_worker_register_activity(holdfast_worker *worker, const char *name,
                                                  holdfast_activity_function function,
                                                  void *user_data)
{
    holdfast_status status = hf_worker_check(worker, NULL);
    if (status != HOLDFAST_OK)
        return status;
    if (name == NULL || name[0] == '\0' || hf_utf8_fault(name, strlen(name)) != NULL)
        return HOLDFAST_BAD_ARGUMENT;
    size_t name_size = strlen(name) + 1;
    hf_registration *made = malloc(sizeof *made + name_size);
    if (made == NULL)
        return HOLDFAST_OUT_OF_MEMORY;
    *made = (hf_registration){.function = function, .user_data = user_data};
    memcpy(made->name, name, name_size);
    pthread_mutex_lock(&worker->lock);
    hf_registration **end = &worker->registrations;
    while (*end != NULL && strcmp((*end)->name, name) != 0)
        end = &(*end)->next;
    if (worker->mode != HF_MODE_UNUSED)
        status = HOLDFAST_FAILED_PRECONDITION;
    else if (*end != NULL)
        status = HOLDFAST_BAD_ARGUMENT;
    if (status == HOLDFAST_OK) {
        *end = made;
        worker->registrations_count++;
    }
    pthread_mutex_unlock(&worker->lock);
    if (status != HOLDFAST_OK)
        free(made);
    return status;
}

holdfast_worker_state holdfast_worker_get_state(holdfast_worker *worker)
{
    if (hf_worker_check(worker, NULL) != HOLDFAST_OK)
        return HOLDFAST_WORKER_CLOSED;
    pthread_mutex_lock(&worker->lock);
    holdfast_worker_state state = HOLDFAST_WORKER_CONNECTING;
    if (worker->closed || worker->drained || worker->fatal != NULL)
        state = HOLDFAST_WORKER_CLOSED;
    else if (worker->stopping || atomic_load(&worker->stops) > 0)
        state = HOLDFAST_WORKER_DRAINING;
    else if (worker->attached)
        state = HOLDFAST_WORKER_ATTACHED;
    pthread_mutex_unlock(&worker->lock);
    return state;
}

holdfast_error *holdfast_worker_last_error(holdfast_worker *worker)
{
    if (hf_worker_check(worker, NULL) != HOLDFAST_OK)
        return NULL;
    pthread_mutex_lock(&worker->lock);
    holdfast_error *copy =
        hf_error_copy(worker->fatal != NULL ? worker->fatal : worker->last_error);
    pthread_mutex_unlock(&worker->lock);
    return copy;
}
