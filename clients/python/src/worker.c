/* A worker whose tasks are pulled in an event loop.
 *
 * One thread pulls: process() and next_task() are its own. Anything else may be called from any
 * thread. Each time that the GIL is let go another thread may keep it for some milliseconds, so a
 * turn lets it go once: process() also fetches the tasks, which next_task() then hands out. Answers
 * keep it, unless they are large: they are queued, or sent without waiting.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FETCHED_MAX 64
#define LARGE_ANSWER_BYTES 65536u

typedef struct worker {
    PyObject_HEAD
    holdfast_worker *handle;
    bool closed;
    bool pulling;  /* a thread is inside process() or next_task() */
    pid_t process; /* that made it */
    size_t inside; /* threads inside a function without the GIL: the last one frees the handle */
    /* What was fetched and not handed out, the next one at `given`. */
    holdfast_task *fetched[FETCHED_MAX];
    size_t given, count;
    bool empty; /* when it was last fetched from, the library had no more */
    /* How fetching ended, to be raised after what was fetched. */
    holdfast_status status;
    holdfast_error *error;
} worker;

/* The threads and locks of the process that made it are not here: its tasks are left alone. */
static bool is_forked(const worker *self)
{
    return self->process != getpid();
}

static void drop_fetched(worker *self)
{
    if (is_forked(self))
        return;
    for (; self->given < self->count; self->given++)
        holdfast_task_free(self->fetched[self->given]);
    holdfast_error_free(self->error);
    self->error = NULL;
    self->status = HOLDFAST_OK;
}

static bool enter(worker *self)
{
    if (self->closed) {
        pyhf_raise_closed("the worker is closed");
        return false;
    }
    self->inside++;
    return true;
}

static void leave(worker *self)
{
    if (--self->inside == 0 && self->closed) {
        drop_fetched(self);
        holdfast_worker_free(self->handle);
        self->handle = NULL;
    }
}

static PyObject *none_or_raise(holdfast_status status, holdfast_error *error)
{
    if (status != HOLDFAST_OK)
        return pyhf_raise(status, error);
    return Py_NewRef(Py_None);
}

/* --- Making one ----------------------------------------------------------------------------- */

typedef struct types {
    holdfast_string *items;
    size_t count;
    PyObject *list; /* holds the strings */
} types;

/* The strings of a sequence of str; false with an exception set. */
static bool read_types(PyObject *sequence, types *found)
{
    if (PyUnicode_Check(sequence)) {
        PyErr_SetString(PyExc_TypeError, "expected a sequence of str, not a str");
        return false;
    }
    found->list = PySequence_List(sequence);
    if (found->list == NULL)
        return false;
    found->count = (size_t)PyList_Size(found->list);
    found->items = calloc(found->count + 1, sizeof *found->items);
    bool good = found->items != NULL;
    if (!good)
        PyErr_NoMemory();
    for (size_t i = 0; i < found->count && good; i++) {
        Py_ssize_t size;
        const char *text =
            PyUnicode_AsUTF8AndSize(PyList_GetItem(found->list, (Py_ssize_t)i), &size);
        good = text != NULL;
        if (good)
            found->items[i] = (holdfast_string){text, (size_t)size};
    }
    return good;
}

static void free_types(types *found)
{
    free(found->items);
    Py_XDECREF(found->list);
}

typedef struct given_options {
    pyhf_text socket_path, name_space, task_queue, identity, build_id, sdk_name, sdk_version,
        language;
    PyObject *workflow_types, *server_uid;
    unsigned int activities, workflow_tasks, cached_runs;
    long long grace_ms, initial_ms, max_ms;
    int never;
} given_options;

static bool parse_options(PyObject *args, PyObject *kwargs, given_options *given)
{
    static char *names[] = {
        "socket_path",
        "namespace",
        "task_queue",
        "identity",
        "build_id",
        "sdk_name",
        "sdk_version",
        "language",
        "workflow_types",
        "max_concurrent_activities",
        "max_concurrent_workflow_tasks",
        "cached_runs_max",
        "grace_ms",
        "reconnect_initial_ms",
        "reconnect_max_ms",
        "reconnect_never",
        "server_uid",
        NULL,
    };
    return PyArg_ParseTupleAndKeywords(
        args, kwargs, "|$z#z#z#z#z#z#z#z#OIIILLLpO:Worker", names, &given->socket_path.ptr,
        &given->socket_path.len, &given->name_space.ptr, &given->name_space.len,
        &given->task_queue.ptr, &given->task_queue.len, &given->identity.ptr, &given->identity.len,
        &given->build_id.ptr, &given->build_id.len, &given->sdk_name.ptr, &given->sdk_name.len,
        &given->sdk_version.ptr, &given->sdk_version.len, &given->language.ptr,
        &given->language.len, &given->workflow_types, &given->activities, &given->workflow_tasks,
        &given->cached_runs, &given->grace_ms, &given->initial_ms, &given->max_ms, &given->never,
        &given->server_uid);
}

static bool fill_options(const given_options *given, holdfast_worker_options *options)
{
    *options = (holdfast_worker_options){
        .struct_size = sizeof *options,
        .socket_path = pyhf_string(given->socket_path),
        .name_space = pyhf_string(given->name_space),
        .task_queue = pyhf_string(given->task_queue),
        .identity = pyhf_string(given->identity),
        .build_id = pyhf_string(given->build_id),
        .sdk_name = pyhf_string(given->sdk_name),
        .sdk_version = pyhf_string(given->sdk_version),
        .language = given->language.len > 0 ? pyhf_string(given->language) : holdfast_str("python"),
        .max_concurrent_activities = given->activities,
        .max_concurrent_workflow_tasks = given->workflow_tasks,
        .cached_runs_max = given->cached_runs,
        .grace_ms = given->grace_ms,
        .reconnect = {given->initial_ms, given->max_ms, given->never != 0},
    };
    return pyhf_read_uid(given->server_uid, &options->require_server_uid, &options->server_uid);
}

static int worker_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
    worker *self = (worker *)object;
    given_options given = {0};
    if (!parse_options(args, kwargs, &given))
        return -1;
    if (self->handle != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the worker is made already");
        return -1;
    }
    holdfast_worker_options options;
    types found = {0};
    int made = -1;
    if (fill_options(&given, &options) &&
        (given.workflow_types == NULL || read_types(given.workflow_types, &found))) {
        options.workflow_types = found.items;
        options.workflow_types_count = found.count;
        holdfast_error *error = NULL;
        holdfast_status status = holdfast_worker_create(&options, &self->handle, &error);
        if (status == HOLDFAST_OK)
            made = 0;
        else
            pyhf_raise(status, error);
    }
    free_types(&found);
    self->closed = made < 0;
    self->process = getpid();
    return made;
}

static PyObject *worker_register_activity(PyObject *object, PyObject *name)
{
    worker *self = (worker *)object;
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
    if (text == NULL || !enter(self))
        return NULL;
    /* Without a function: its tasks are pulled. */
    holdfast_status status = holdfast_worker_register_activity(self->handle, text, NULL, NULL);
    leave(self);
    return none_or_raise(status, NULL);
}

/* --- The event loop -------------------------------------------------------------------------- */

static PyObject *worker_fileno(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)object;
    if (!enter(self))
        return NULL;
    int fd = holdfast_worker_fd(self->handle);
    leave(self);
    return fd >= 0 ? PyLong_FromLong(fd) : pyhf_raise(HOLDFAST_FORKED, NULL);
}

static PyObject *worker_timeout_ms(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)object;
    if (!enter(self))
        return NULL;
    /* What was fetched and not taken is due. */
    int64_t timeout = self->given < self->count ? 0 : holdfast_worker_timeout_ms(self->handle);
    leave(self);
    return PyLong_FromLongLong(timeout);
}

/* Without the GIL, by the one thread that pulls. */
static void fetch(worker *self)
{
    while (self->count < FETCHED_MAX && self->status == HOLDFAST_OK) {
        holdfast_task *task = NULL;
        self->status = holdfast_worker_next_task(self->handle, 0, &task, &self->error);
        if (task != NULL)
            self->fetched[self->count++] = task;
    }
    self->empty = self->status == HOLDFAST_TIMEOUT;
    if (self->empty)
        self->status = HOLDFAST_OK;
}

static bool begin_pull(worker *self)
{
    if (!enter(self))
        return false;
    if (self->pulling) {
        leave(self);
        PyErr_SetString(PyExc_RuntimeError, "another thread is inside process() or next_task()");
        return false;
    }
    self->pulling = true;
    return true;
}

/* What was handed out makes room. */
static void make_room(worker *self)
{
    memmove(self->fetched, self->fetched + self->given,
            (self->count - self->given) * sizeof *self->fetched);
    self->count -= self->given;
    self->given = 0;
}

static void end_pull(worker *self)
{
    self->pulling = false;
    leave(self);
}

static PyObject *worker_process(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)object;
    if (!begin_pull(self))
        return NULL;
    make_room(self);
    holdfast_status status;
    holdfast_error *error = NULL;
    Py_BEGIN_ALLOW_THREADS
    status = holdfast_worker_process(self->handle, &error);
    if (status == HOLDFAST_OK)
        fetch(self);
    Py_END_ALLOW_THREADS
    end_pull(self);
    return none_or_raise(status, error);
}

static PyObject *hand_out(holdfast_task *task)
{
    PyObject *made =
        Py_BuildValue("iNNN", (int)task->kind, pyhf_bytes(task->message), pyhf_bytes(task->token),
                      PyUnicode_DecodeUTF8(task->run_id.len > 0 ? task->run_id.ptr : "",
                                           (Py_ssize_t)task->run_id.len, NULL));
    holdfast_task_free(task);
    return made;
}

/* How fetching ended; nothing is fetched. */
static PyObject *end_of_fetched(worker *self)
{
    holdfast_status status = self->status;
    holdfast_error *error = self->error;
    self->status = HOLDFAST_OK;
    self->error = NULL;
    return none_or_raise(status, error);
}

static PyObject *worker_next_task(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)object;
    if (!begin_pull(self))
        return NULL;
    if (self->given == self->count && !self->empty && self->status == HOLDFAST_OK) {
        make_room(self);
        Py_BEGIN_ALLOW_THREADS
        fetch(self);
        Py_END_ALLOW_THREADS
    }
    PyObject *made;
    if (self->closed) {
        made = pyhf_raise_closed("the worker is closed");
    } else if (self->given < self->count) {
        made = hand_out(self->fetched[self->given++]);
    } else {
        /* Said once; the next call looks again. */
        self->empty = false;
        made = end_of_fetched(self);
    }
    end_pull(self);
    return made;
}

/* --- Answers --------------------------------------------------------------------------------- */

typedef holdfast_status (*answer)(holdfast_worker *handle, holdfast_bytes message);

/* -1: an exception is set. */
static int give(PyObject *object, PyObject *data, answer function)
{
    worker *self = (worker *)object;
    PyObject *owner;
    holdfast_bytes view;
    if (!pyhf_view(data, &owner, &view))
        return -1;
    if (!enter(self)) {
        Py_DECREF(owner);
        return -1;
    }
    holdfast_status status;
    if (view.len < LARGE_ANSWER_BYTES) {
        status = function(self->handle, view);
    } else {
        Py_BEGIN_ALLOW_THREADS
        status = function(self->handle, view);
        Py_END_ALLOW_THREADS
    }
    leave(self);
    Py_DECREF(owner);
    return (int)status;
}

static PyObject *give_or_raise(PyObject *object, PyObject *data, answer function)
{
    int status = give(object, data, function);
    return status < 0 ? NULL : none_or_raise((holdfast_status)status, NULL);
}

#define ANSWER(name)                                                                               \
    static PyObject *worker_##name(PyObject *object, PyObject *data)                               \
    {                                                                                              \
        return give_or_raise(object, data, holdfast_worker_##name);                                \
    }

ANSWER(complete_workflow_task)
ANSWER(complete_replay)
ANSWER(await_recorded)
ANSWER(local_activity_done)
ANSWER(complete_activity)
ANSWER(fail_activity)
ANSWER(report_activity_cancelled)
ANSWER(will_complete_elsewhere)

static PyObject *worker_heartbeat(PyObject *object, PyObject *data)
{
    int status = give(object, data, holdfast_worker_heartbeat);
    if (status < 0)
        return NULL;
    if (status != HOLDFAST_OK && status != HOLDFAST_CANCELLED)
        return pyhf_raise((holdfast_status)status, NULL);
    return PyBool_FromLong(status == HOLDFAST_CANCELLED);
}

static PyObject *worker_evicted(PyObject *object, PyObject *run_ids)
{
    worker *self = (worker *)object;
    types found = {0};
    PyObject *made = NULL;
    if (read_types(run_ids, &found) && enter(self)) {
        holdfast_status status = holdfast_worker_evicted(self->handle, found.items, found.count);
        leave(self);
        made = none_or_raise(status, NULL);
    }
    free_types(&found);
    return made;
}

static PyObject *worker_set_local_activities(PyObject *object, PyObject *count)
{
    worker *self = (worker *)object;
    size_t number = PyLong_AsSize_t(count);
    if ((number == (size_t)-1 && PyErr_Occurred()) || !enter(self))
        return NULL;
    holdfast_worker_set_local_activities(self->handle, number);
    leave(self);
    return Py_NewRef(Py_None);
}

/* --- Its life -------------------------------------------------------------------------------- */

static PyObject *worker_flush(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)object;
    if (!enter(self))
        return NULL;
    holdfast_status status;
    Py_BEGIN_ALLOW_THREADS
    status = holdfast_worker_flush(self->handle);
    Py_END_ALLOW_THREADS
    leave(self);
    return none_or_raise(status, NULL);
}

static PyObject *worker_stop(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)object;
    if (!enter(self))
        return NULL;
    holdfast_worker_stop(self->handle);
    leave(self);
    return Py_NewRef(Py_None);
}

static PyObject *worker_state(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)object;
    return PyLong_FromLong(self->closed ? HOLDFAST_WORKER_CLOSED
                                        : holdfast_worker_get_state(self->handle));
}

static PyObject *worker_last_error(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)object;
    if (!enter(self))
        return NULL;
    holdfast_error *error = holdfast_worker_last_error(self->handle);
    leave(self);
    return error != NULL ? pyhf_error_object(error->code, error) : Py_NewRef(Py_None);
}

static PyObject *worker_close(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    worker *self = (worker *)object;
    if (!self->closed) {
        /* Of the threads that were inside when a child was forked none is in the child. */
        self->inside = is_forked(self) ? 1 : self->inside + 1;
        self->closed = true;
        leave(self);
    }
    return Py_NewRef(Py_None);
}

static void worker_dealloc(PyObject *object)
{
    worker *self = (worker *)object;
    /* Nobody is inside: who is holds a reference. */
    drop_fetched(self);
    holdfast_worker_free(self->handle);
    pyhf_free_object(object);
}

#define METHOD(name, flags, text)                                                                  \
    {                                                                                              \
#name, worker_##name, flags, PyDoc_STR(text)                                               \
    }

/* What each does is said in _core.pyi. */
static PyMethodDef worker_methods[] = {
    METHOD(register_activity, METH_O, "Serves an activity type."),
    METHOD(fileno, METH_NOARGS, "Readable when process() has work."),
    METHOD(timeout_ms, METH_NOARGS, "When process() is due; -1: not needed."),
    METHOD(process, METH_NOARGS, "Does the I/O that is due, and fetches tasks."),
    METHOD(next_task, METH_NOARGS, "The next task, or None."),
    METHOD(complete_workflow_task, METH_O, "Answers with a WorkflowTaskCompleted."),
    METHOD(complete_replay, METH_O, "Answers with a ReplayCompleted."),
    METHOD(await_recorded, METH_O, "Asks for TASK_RECORDED of the task with this token."),
    METHOD(local_activity_done, METH_O, "Tells of a LocalActivityDone."),
    METHOD(set_local_activities, METH_O, "How many local activities run."),
    METHOD(evicted, METH_O, "These runs were dropped from the cache."),
    METHOD(complete_activity, METH_O, "Ends an activity with an ActivityCompleted."),
    METHOD(fail_activity, METH_O, "Ends an activity with an ActivityFailed."),
    METHOD(report_activity_cancelled, METH_O, "Ends one with a ReportActivityCancelled."),
    METHOD(will_complete_elsewhere, METH_O, "Gives the activity with this token away."),
    METHOD(heartbeat, METH_O, "Records a Heartbeat; True: it should cancel itself."),
    METHOD(flush, METH_NOARGS, "Sends the answers that are queued."),
    METHOD(stop, METH_NOARGS, "No new tasks; a second time: no grace."),
    METHOD(state, METH_NOARGS, "One of STATE_CONNECTING, …"),
    METHOD(last_error, METH_NOARGS, "Why the connection was lost, or None."),
    METHOD(close, METH_NOARGS, "Frees the worker."),
    {NULL, NULL, 0, NULL},
};

static PyType_Slot worker_slots[] = {
    {Py_tp_doc, "A worker whose tasks are pulled in an event loop."},
    {Py_tp_init, worker_init},
    {Py_tp_dealloc, worker_dealloc},
    {Py_tp_methods, worker_methods},
    {0, NULL},
};

static PyType_Spec worker_spec = {
    .name = "holdfast._core.Worker",
    .basicsize = sizeof(worker),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = worker_slots,
};

int pyhf_add_worker_type(PyObject *module)
{
    return pyhf_add_type(module, &worker_spec, "Worker") != NULL ? 0 : -1;
}
