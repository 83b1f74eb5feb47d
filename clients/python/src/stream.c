/* Streams of a client. One thread at a time uses a stream; close() may come from another. */
#include "client.h"

typedef struct stream {
    PyObject_HEAD
    holdfast_stream *handle;
    pyhf_client *client;
    int64_t deadline; /* of the stream itself */
    bool closed;
    bool busy; /* a thread is inside: it frees the handle when the stream was closed meanwhile */
} stream;

static PyTypeObject *stream_type;

static bool enter(stream *self)
{
    if (self->closed) {
        pyhf_raise_closed("the stream is closed");
        return false;
    }
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "another thread uses the stream");
        return false;
    }
    self->busy = true;
    return true;
}

/* Ends the stream, and its hold on the client. */
static void release(stream *self)
{
    if (self->handle == NULL)
        return;
    holdfast_stream_close(self->handle);
    self->handle = NULL;
    pyhf_client_leave(self->client);
}

static void leave(stream *self)
{
    self->busy = false;
    if (self->closed)
        release(self);
}

static holdfast_status step(stream *self, int64_t wait_ms, holdfast_bytes *message,
                            holdfast_error **error)
{
    holdfast_status status;
    Py_BEGIN_ALLOW_THREADS
    status = holdfast_stream_next(self->handle, wait_ms, message, error);
    Py_END_ALLOW_THREADS
    return status;
}

static PyObject *await_message(stream *self, int64_t deadline)
{
    for (;;) {
        holdfast_bytes message = {0};
        holdfast_error *error = NULL;
        int64_t first = deadline < self->deadline ? deadline : self->deadline;
        holdfast_status status = step(self, pyhf_step(first), &message, &error);
        if (status == HOLDFAST_OK)
            return pyhf_bytes(message);
        if (status == HOLDFAST_CLOSED && error == NULL)
            return pyhf_raise_stream_end();
        /* TIMEOUT says too that the stream's own time is over: then it is its end. */
        if (status != HOLDFAST_TIMEOUT || pyhf_now_ms() >= self->deadline)
            return pyhf_raise(status, error);
        if (pyhf_now_ms() >= deadline) {
            holdfast_error_free(error);
            return Py_NewRef(Py_None);
        }
        holdfast_error_free(error);
        if (self->closed)
            return pyhf_raise_closed("the stream is closed");
        if (PyErr_CheckSignals() < 0)
            return NULL;
    }
}

static PyObject *stream_next(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"wait_ms", NULL};
    stream *self = (stream *)object;
    long long wait_ms = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|L:next", names, &wait_ms) || !enter(self))
        return NULL;
    PyObject *made = await_message(self, pyhf_deadline(wait_ms));
    leave(self);
    return made;
}

static PyObject *stream_send(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"message", "end", NULL};
    stream *self = (stream *)object;
    PyObject *data, *owner;
    int end = 0;
    holdfast_bytes view;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|p:send", names, &data, &end) ||
        !pyhf_view(data, &owner, &view))
        return NULL;
    if (!enter(self)) {
        Py_DECREF(owner);
        return NULL;
    }
    holdfast_status status;
    holdfast_error *error = NULL;
    Py_BEGIN_ALLOW_THREADS
    status = holdfast_stream_send(self->handle, view, end != 0, &error);
    Py_END_ALLOW_THREADS
    leave(self);
    Py_DECREF(owner);
    return status == HOLDFAST_OK ? Py_NewRef(Py_None) : pyhf_raise(status, error);
}

static PyObject *stream_close(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    stream *self = (stream *)object;
    self->closed = true;
    if (!self->busy)
        release(self);
    return Py_NewRef(Py_None);
}

static void stream_dealloc(PyObject *object)
{
    stream *self = (stream *)object;
    release(self);
    Py_XDECREF((PyObject *)self->client);
    pyhf_free_object(object);
}

typedef holdfast_status (*opener)(holdfast_client *client, const char *method,
                                  holdfast_bytes request, int64_t timeout_ms,
                                  holdfast_stream **stream, holdfast_error **error);

/* The client is entered, and stays so until the stream is released. */
static PyObject *open_entered(pyhf_client *client, opener function, const char *method,
                              holdfast_bytes view, int64_t timeout_ms)
{
    stream *self = (stream *)PyType_GenericAlloc(stream_type, 0);
    if (self == NULL) {
        pyhf_client_leave(client);
        return NULL;
    }
    self->client = (pyhf_client *)Py_NewRef((PyObject *)client);
    holdfast_status status;
    holdfast_error *error = NULL;
    Py_BEGIN_ALLOW_THREADS
    status = function(client->handle, method, view, timeout_ms, &self->handle, &error);
    Py_END_ALLOW_THREADS
    /* Taken after the library took its own, so that it is never the earlier one. */
    self->deadline = pyhf_deadline(timeout_ms > 0 ? timeout_ms : -1);
    if (status == HOLDFAST_OK)
        return (PyObject *)self;
    pyhf_client_leave(client);
    Py_DECREF((PyObject *)self);
    return pyhf_raise(status, error);
}

static PyObject *open_stream(PyObject *object, PyObject *args, PyObject *kwargs, opener function)
{
    static char *names[] = {"method", "request", "timeout_ms", NULL};
    pyhf_client *client = (pyhf_client *)object;
    const char *method;
    PyObject *data, *owner;
    long long timeout_ms = 0;
    holdfast_bytes view;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sO|L", names, &method, &data, &timeout_ms) ||
        !pyhf_view(data, &owner, &view))
        return NULL;
    PyObject *made = NULL;
    if (pyhf_client_enter(client))
        made = open_entered(client, function, method, view, timeout_ms);
    Py_DECREF(owner);
    return made;
}

PyObject *pyhf_client_open(PyObject *object, PyObject *args, PyObject *kwargs)
{
    return open_stream(object, args, kwargs, holdfast_client_open);
}

PyObject *pyhf_client_open_two_way(PyObject *object, PyObject *args, PyObject *kwargs)
{
    return open_stream(object, args, kwargs, holdfast_client_open_two_way);
}

/* What each does is said in _core.pyi. */
static PyMethodDef stream_methods[] = {
    {"next", (PyCFunction)(void (*)(void))stream_next, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("The next message, or None.")},
    {"send", (PyCFunction)(void (*)(void))stream_send, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("Sends the next message.")},
    {"close", stream_close, METH_NOARGS, PyDoc_STR("Gives the stream up.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot stream_slots[] = {
    {Py_tp_doc, "A call that is answered by messages: made by Client.open()."},
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_methods, stream_methods},
    {0, NULL},
};

static PyType_Spec stream_spec = {
    .name = "holdfast._core.Stream",
    .basicsize = sizeof(stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = stream_slots,
};

int pyhf_add_stream_type(PyObject *module)
{
    stream_type = pyhf_add_type(module, &stream_spec, "Stream");
    return stream_type != NULL ? 0 : -1;
}
