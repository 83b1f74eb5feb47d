/* Calls of a client, and how they end.
 *
 * Signal handlers run in the main thread only, so call() must not wait in C there: it submits, and
 * takes completions step by step. Whoever takes one that is not theirs hands it over: to a call()
 * by its tag, to next_completion() by `kept`.
 */
#include "client.h"

#include <stdlib.h>

void pyhf_client_drop_kept(pyhf_client *self)
{
    while (self->kept != NULL) {
        pyhf_kept *next = self->kept->next;
        holdfast_completion_free(self->kept->completion);
        free(self->kept);
        self->kept = next;
    }
    self->kept_last = NULL;
}

static bool keep(pyhf_client *self, holdfast_completion *completion)
{
    pyhf_kept *made = malloc(sizeof *made);
    if (made == NULL) {
        holdfast_completion_free(completion);
        PyErr_NoMemory();
        return false;
    }
    *made = (pyhf_kept){NULL, completion};
    if (self->kept_last != NULL)
        self->kept_last->next = made;
    else
        self->kept = made;
    self->kept_last = made;
    return true;
}

static holdfast_completion *take_kept(pyhf_client *self)
{
    pyhf_kept *first = self->kept;
    if (first == NULL)
        return NULL;
    holdfast_completion *completion = first->completion;
    self->kept = first->next;
    if (self->kept == NULL)
        self->kept_last = NULL;
    free(first);
    return completion;
}

/* Gives the completion of a call() to it; it may be gone. */
static void hand_over(pyhf_client *self, holdfast_completion *completion)
{
    for (pyhf_own_call *own = self->own_calls; own != NULL; own = own->next) {
        if (own->tag == completion->tag) {
            own->completion = completion;
            return;
        }
    }
    holdfast_completion_free(completion);
}

/* bytes, or an Error; frees the completion. */
static PyObject *outcome(holdfast_completion *completion)
{
    PyObject *made = completion->status == HOLDFAST_OK
                         ? pyhf_bytes(completion->response)
                         : pyhf_error_object_of(completion->status, completion->error);
    holdfast_completion_free(completion);
    return made;
}

/* --- call() ---------------------------------------------------------------------------------- */

typedef struct request {
    const char *method;
    PyObject *owner; /* of `bytes` */
    holdfast_bytes bytes;
    long long timeout_ms;
} request;

static PyObject *call_blocking(pyhf_client *self, const request *r)
{
    holdfast_status status;
    holdfast_bytes response = {0};
    holdfast_error *error = NULL;
    Py_BEGIN_ALLOW_THREADS
    status =
        holdfast_client_call(self->handle, r->method, r->bytes, r->timeout_ms, &response, &error);
    Py_END_ALLOW_THREADS
    if (status != HOLDFAST_OK)
        return pyhf_raise(status, error);
    PyObject *made = pyhf_bytes(response);
    holdfast_bytes_free(&response);
    return made;
}

/* Waits until `own` has its completion; false: an exception is set. */
static bool await_own(pyhf_client *self, pyhf_own_call *own)
{
    while (own->completion == NULL) {
        holdfast_status status;
        holdfast_completion *completion = NULL;
        Py_BEGIN_ALLOW_THREADS
        status = holdfast_client_next_completion(self->handle, PYHF_STEP_MS, &completion);
        Py_END_ALLOW_THREADS
        if (completion != NULL) {
            if (completion->tag >= PYHF_OWN_TAGS)
                hand_over(self, completion);
            else if (!keep(self, completion))
                return false;
        } else if (status != HOLDFAST_TIMEOUT && own->completion == NULL) {
            pyhf_raise(status, NULL);
            return false;
        }
        if (own->completion == NULL && PyErr_CheckSignals() < 0)
            return false;
    }
    return true;
}

static void forget(pyhf_client *self, pyhf_own_call *own)
{
    pyhf_own_call **at = &self->own_calls;
    while (*at != own)
        at = &(*at)->next;
    *at = own->next;
}

static PyObject *call_in_steps(pyhf_client *self, const request *r)
{
    pyhf_own_call own = {self->own_calls, PYHF_OWN_TAGS | self->next_tag++, NULL};
    holdfast_error *error = NULL;
    holdfast_status status =
        holdfast_client_submit(self->handle, r->method, r->bytes, r->timeout_ms, own.tag, &error);
    if (status != HOLDFAST_OK)
        return pyhf_raise(status, error);
    self->own_calls = &own;
    bool ended = await_own(self, &own);
    forget(self, &own);
    if (!ended) {
        /* Its completion, when somebody takes it, finds nobody. */
        holdfast_client_cancel_call(self->handle, own.tag);
        holdfast_completion_free(own.completion);
        return NULL;
    }
    PyObject *made = outcome(own.completion);
    if (made == NULL || PyBytes_Check(made))
        return made;
    PyErr_SetObject((PyObject *)Py_TYPE(made), made);
    Py_DECREF(made);
    return NULL;
}

PyObject *pyhf_client_call(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"method", "request", "timeout_ms", NULL};
    pyhf_client *self = (pyhf_client *)object;
    request r = {0};
    PyObject *data;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sO|L:call", names, &r.method, &data,
                                     &r.timeout_ms) ||
        !pyhf_view(data, &r.owner, &r.bytes))
        return NULL;
    PyObject *made = NULL;
    if (pyhf_client_enter(self)) {
        bool is_main = PyThread_get_thread_ident() == self->main_thread;
        made = is_main ? call_in_steps(self, &r) : call_blocking(self, &r);
        pyhf_client_leave(self);
    }
    Py_DECREF(r.owner);
    return made;
}

/* --- submit() -------------------------------------------------------------------------------- */

PyObject *pyhf_client_submit(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"method", "request", "timeout_ms", "tag", NULL};
    pyhf_client *self = (pyhf_client *)object;
    request r = {0};
    PyObject *data;
    long long tag;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sOLL:submit", names, &r.method, &data,
                                     &r.timeout_ms, &tag))
        return NULL;
    if (tag < 0) {
        PyErr_SetString(PyExc_OverflowError, "a tag is from 0 to 2**63 - 1");
        return NULL;
    }
    if (!pyhf_view(data, &r.owner, &r.bytes))
        return NULL;
    PyObject *made = NULL;
    if (pyhf_client_enter(self)) {
        holdfast_error *error = NULL;
        holdfast_status status = holdfast_client_submit(self->handle, r.method, r.bytes,
                                                        r.timeout_ms, (uint64_t)tag, &error);
        pyhf_client_leave(self);
        made = status == HOLDFAST_OK ? Py_NewRef(Py_None) : pyhf_raise(status, error);
    }
    Py_DECREF(r.owner);
    return made;
}

static PyObject *tagged(holdfast_completion *completion)
{
    uint64_t tag = completion->tag;
    PyObject *value = outcome(completion);
    return value != NULL ? Py_BuildValue("KN", (unsigned long long)tag, value) : NULL;
}

static PyObject *await_completion(pyhf_client *self, int64_t deadline)
{
    for (;;) {
        holdfast_completion *completion = take_kept(self);
        if (completion != NULL)
            return tagged(completion);
        int64_t step = pyhf_step(deadline);
        holdfast_status status;
        Py_BEGIN_ALLOW_THREADS
        status = holdfast_client_next_completion(self->handle, step, &completion);
        Py_END_ALLOW_THREADS
        if (completion != NULL && completion->tag < PYHF_OWN_TAGS)
            return tagged(completion);
        if (completion != NULL) {
            hand_over(self, completion);
            continue;
        }
        if (self->kept != NULL)
            continue;
        if (status != HOLDFAST_TIMEOUT)
            return pyhf_raise(status, NULL);
        if (pyhf_now_ms() >= deadline)
            return Py_NewRef(Py_None);
        if (PyErr_CheckSignals() < 0)
            return NULL;
    }
}

PyObject *pyhf_client_next_completion(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"wait_ms", NULL};
    pyhf_client *self = (pyhf_client *)object;
    long long wait_ms = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|L:next_completion", names, &wait_ms) ||
        !pyhf_client_enter(self))
        return NULL;
    PyObject *made = await_completion(self, pyhf_deadline(wait_ms));
    pyhf_client_leave(self);
    return made;
}

PyObject *pyhf_client_cancel_call(PyObject *object, PyObject *tag)
{
    pyhf_client *self = (pyhf_client *)object;
    long long number = PyLong_AsLongLong(tag);
    if (number < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_OverflowError, "a tag is from 0 to 2**63 - 1");
        return NULL;
    }
    if (!pyhf_client_enter(self))
        return NULL;
    holdfast_status status = holdfast_client_cancel_call(self->handle, (uint64_t)number);
    pyhf_client_leave(self);
    if (status != HOLDFAST_OK && status != HOLDFAST_NOT_FOUND)
        return pyhf_raise(status, NULL);
    return PyBool_FromLong(status == HOLDFAST_OK);
}
