/* A client: one connection, shared by any number of threads.
 *
 * close() may come while other threads are inside: it ends what they wait for, and the last of them
 * frees the handle. So does the last stream.
 */
#include "client.h"

bool pyhf_client_enter(pyhf_client *self)
{
    if (self->closed) {
        pyhf_raise_closed("the client is closed");
        return false;
    }
    self->inside++;
    return true;
}

void pyhf_client_leave(pyhf_client *self)
{
    if (--self->inside == 0 && self->closed) {
        pyhf_client_drop_kept(self);
        holdfast_client_close(self->handle);
        self->handle = NULL;
    }
}

/* Which thread is Python's main one; signal handlers run there only. */
static bool find_main_thread(unsigned long *ident)
{
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *main = threading ? PyObject_CallMethod(threading, "main_thread", NULL) : NULL;
    PyObject *number = main != NULL ? PyObject_GetAttrString(main, "ident") : NULL;
    bool good = number != NULL;
    if (good) {
        *ident = PyLong_AsUnsignedLong(number);
        good = PyErr_Occurred() == NULL;
    }
    Py_XDECREF(number);
    Py_XDECREF(main);
    Py_XDECREF(threading);
    return good;
}

static bool read_options(PyObject *args, PyObject *kwargs, holdfast_client_options *options)
{
    static char *names[] = {
        "socket_path",
        "namespace",
        "identity",
        "client_name",
        "client_version",
        "language",
        "connect_timeout_ms",
        "call_timeout_ms",
        "reconnect_initial_ms",
        "reconnect_max_ms",
        "reconnect_never",
        "server_uid",
        NULL,
    };
    pyhf_text socket = {0}, name_space = {0}, identity = {0}, name = {0}, version = {0},
              language = {0};
    long long connect_ms = 0, call_ms = 0, initial_ms = 0, max_ms = 0;
    int never = 0;
    PyObject *uid = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$z#z#z#z#z#z#LLLLpO:connect", names,
                                     &socket.ptr, &socket.len, &name_space.ptr, &name_space.len,
                                     &identity.ptr, &identity.len, &name.ptr, &name.len,
                                     &version.ptr, &version.len, &language.ptr, &language.len,
                                     &connect_ms, &call_ms, &initial_ms, &max_ms, &never, &uid))
        return false;
    *options = (holdfast_client_options){
        .struct_size = sizeof *options,
        .socket_path = pyhf_string(socket),
        .name_space = pyhf_string(name_space),
        .identity = pyhf_string(identity),
        .connect_timeout_ms = connect_ms,
        .call_timeout_ms = call_ms,
        .reconnect = {initial_ms, max_ms, never != 0},
        .client_name = pyhf_string(name),
        .client_version = pyhf_string(version),
        .language = language.len > 0 ? pyhf_string(language) : holdfast_str("python"),
    };
    return pyhf_read_uid(uid, &options->require_server_uid, &options->server_uid);
}

static PyObject *client_of(PyObject *type, holdfast_client *handle, unsigned long main_thread)
{
    pyhf_client *self = (pyhf_client *)PyType_GenericAlloc((PyTypeObject *)type, 0);
    if (self == NULL) {
        holdfast_client_close(handle);
        return NULL;
    }
    self->handle = handle;
    self->main_thread = main_thread;
    return (PyObject *)self;
}

static PyObject *client_connect(PyObject *type, PyObject *args, PyObject *kwargs)
{
    holdfast_client_options options;
    unsigned long main_thread;
    holdfast_client *handle;
    if (!read_options(args, kwargs, &options) || !find_main_thread(&main_thread) ||
        !pyhf_connect(&options, PyThread_get_thread_ident() == main_thread, &handle))
        return NULL;
    return client_of(type, handle, main_thread);
}

static PyObject *client_create(PyObject *type, PyObject *args, PyObject *kwargs)
{
    holdfast_client_options options;
    unsigned long main_thread;
    if (!read_options(args, kwargs, &options) || !find_main_thread(&main_thread))
        return NULL;
    holdfast_client *handle;
    holdfast_error *error = NULL;
    holdfast_status status = holdfast_client_create(&options, &handle, &error);
    if (status != HOLDFAST_OK)
        return pyhf_raise(status, error);
    return client_of(type, handle, main_thread);
}

static PyObject *client_fileno(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    pyhf_client *self = (pyhf_client *)object;
    if (!pyhf_client_enter(self))
        return NULL;
    int descriptor = holdfast_client_fd(self->handle);
    pyhf_client_leave(self);
    return PyLong_FromLong(descriptor);
}

static PyObject *client_timeout_ms(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    pyhf_client *self = (pyhf_client *)object;
    if (!pyhf_client_enter(self))
        return NULL;
    int64_t due = holdfast_client_timeout_ms(self->handle);
    pyhf_client_leave(self);
    return PyLong_FromLongLong(due);
}

static PyObject *client_process(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    pyhf_client *self = (pyhf_client *)object;
    if (!pyhf_client_enter(self))
        return NULL;
    holdfast_status status;
    holdfast_error *error = NULL;
    Py_BEGIN_ALLOW_THREADS
    status = holdfast_client_process(self->handle, &error);
    Py_END_ALLOW_THREADS
    pyhf_client_leave(self);
    return status == HOLDFAST_OK ? Py_NewRef(Py_None) : pyhf_raise(status, error);
}

static PyObject *client_shutdown(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    pyhf_client *self = (pyhf_client *)object;
    if (!pyhf_client_enter(self))
        return NULL;
    holdfast_client_shutdown(self->handle);
    pyhf_client_leave(self);
    return Py_NewRef(Py_None);
}

static PyObject *client_close(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    pyhf_client *self = (pyhf_client *)object;
    if (!self->closed) {
        self->inside++;
        self->closed = true;
        holdfast_client_shutdown(self->handle);
        pyhf_client_leave(self);
    }
    return Py_NewRef(Py_None);
}

static PyObject *client_closed(PyObject *object, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((pyhf_client *)object)->closed);
}

static void client_dealloc(PyObject *object)
{
    pyhf_client *self = (pyhf_client *)object;
    /* Nobody is inside: threads and streams hold a reference. */
    pyhf_client_drop_kept(self);
    holdfast_client_close(self->handle);
    pyhf_free_object(object);
}

#define WITH_NAMES(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS

/* What each does is said in _core.pyi. */
static PyMethodDef client_methods[] = {
    {"connect", (PyCFunction)(void (*)(void))client_connect,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, PyDoc_STR("Connects to an engine.")},
    {"create", (PyCFunction)(void (*)(void))client_create,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, PyDoc_STR("A client that connects when used.")},
    {"fileno", client_fileno, METH_NOARGS, PyDoc_STR("Readable when process() has work.")},
    {"timeout_ms", client_timeout_ms, METH_NOARGS,
     PyDoc_STR("When process() is due; -1: not needed.")},
    {"process", client_process, METH_NOARGS, PyDoc_STR("Does the I/O that is due.")},
    {"call", WITH_NAMES(pyhf_client_call), PyDoc_STR("Calls a method; waits for the answer.")},
    {"submit", WITH_NAMES(pyhf_client_submit), PyDoc_STR("Begins a call.")},
    {"next_completion", WITH_NAMES(pyhf_client_next_completion),
     PyDoc_STR("The end of a submitted call, or None.")},
    {"cancel_call", pyhf_client_cancel_call, METH_O, PyDoc_STR("Gives a submitted call up.")},
    {"open", WITH_NAMES(pyhf_client_open), PyDoc_STR("Opens a stream of answers.")},
    {"open_two_way", WITH_NAMES(pyhf_client_open_two_way),
     PyDoc_STR("Opens a stream on which both sides send.")},
    {"shutdown", client_shutdown, METH_NOARGS, PyDoc_STR("Ends all calls, streams and waits.")},
    {"close", client_close, METH_NOARGS, PyDoc_STR("Shuts down, and frees the client.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef client_properties[] = {
    {"closed", client_closed, NULL, PyDoc_STR("Whether close() was called."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot client_slots[] = {
    {Py_tp_doc, "A connection to an engine: made by Client.connect()."},
    {Py_tp_dealloc, client_dealloc},
    {Py_tp_methods, client_methods},
    {Py_tp_getset, client_properties},
    {0, NULL},
};

static PyType_Spec client_spec = {
    .name = "holdfast._core.Client",
    .basicsize = sizeof(pyhf_client),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = client_slots,
};

int pyhf_add_client_types(PyObject *module)
{
    if (pyhf_add_type(module, &client_spec, "Client") == NULL)
        return -1;
    return pyhf_add_stream_type(module);
}
