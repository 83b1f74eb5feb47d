/* The exceptions. */
#include "core.h"

static PyObject *error_type, *closed_type, *stream_end_type;

static const char *code_name(holdfast_status status)
{
    static const char *const canonical[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    static const char *const local[] = {
        "DISCONNECTED",      "TIMEOUT",       "CLOSED",         "FORKED",
        "BAD_ARGUMENT",      "OUT_OF_MEMORY", "PROTOCOL_ERROR", "TOO_LARGE",
        "ALREADY_COMPLETED", "SYSTEM_ERROR",
    };
    int number = (int)status;
    if (number >= 0 && number <= 16)
        return canonical[number];
    if (number >= 100 && number <= 109)
        return local[number - 100];
    return "UNKNOWN";
}

static bool set(PyObject *object, const char *name, PyObject *value)
{
    bool good = value != NULL && PyObject_SetAttrString(object, name, value) == 0;
    Py_XDECREF(value);
    return good;
}

static PyObject *text(holdfast_string string)
{
    return PyUnicode_DecodeUTF8(string.len > 0 ? string.ptr : "", (Py_ssize_t)string.len,
                                "replace");
}

static bool describe(PyObject *object, holdfast_status status, const holdfast_error *error)
{
    static const holdfast_error nothing;
    const holdfast_error *from = error != NULL ? error : &nothing;
    holdfast_string message =
        from->message.len > 0 ? from->message : holdfast_str(holdfast_strerror(status));
    const char *reason = from->reason_name != NULL ? from->reason_name : "";
    return set(object, "status", PyLong_FromLong((long)status)) &&
           set(object, "code", PyUnicode_FromString(code_name(status))) &&
           set(object, "reason", PyUnicode_FromString(reason)) &&
           set(object, "reason_number", PyLong_FromLong(from->reason)) &&
           set(object, "message", text(message)) && set(object, "field", text(from->field)) &&
           set(object, "retryable", PyBool_FromLong(from->retryable)) &&
           set(object, "retry_after_ms", PyLong_FromLongLong(from->retry_after_ms)) &&
           set(object, "run_id", text(from->run_id));
}

static PyObject *make(holdfast_status status, const holdfast_error *error, const char *what)
{
    PyObject *type = status == HOLDFAST_CLOSED ? closed_type : error_type;
    holdfast_string message = error != NULL && error->message.len > 0
                                  ? error->message
                                  : holdfast_str(what != NULL ? what : holdfast_strerror(status));
    PyObject *words = text(message);
    PyObject *made = words != NULL ? PyObject_CallFunctionObjArgs(type, words, NULL) : NULL;
    if (made != NULL && !(describe(made, status, error) && set(made, "message", Py_NewRef(words))))
        Py_CLEAR(made);
    Py_XDECREF(words);
    return made;
}

PyObject *pyhf_error_object_of(holdfast_status status, const holdfast_error *error)
{
    return make(status, error, NULL);
}

PyObject *pyhf_error_object(holdfast_status status, holdfast_error *error)
{
    PyObject *made = make(status, error, NULL);
    holdfast_error_free(error);
    return made;
}

static PyObject *raise(PyObject *error)
{
    if (error != NULL)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return NULL;
}

PyObject *pyhf_raise(holdfast_status status, holdfast_error *error)
{
    if (status == HOLDFAST_OUT_OF_MEMORY) {
        holdfast_error_free(error);
        return PyErr_NoMemory();
    }
    return raise(pyhf_error_object(status, error));
}

PyObject *pyhf_raise_closed(const char *what)
{
    return raise(make(HOLDFAST_CLOSED, NULL, what));
}

PyObject *pyhf_raise_stream_end(void)
{
    PyErr_SetString(stream_end_type, "the stream has ended well");
    return NULL;
}

static bool add(PyObject *module, const char *name, PyObject *type)
{
    return type != NULL && PyModule_AddObjectRef(module, name, type) == 0;
}

int pyhf_add_errors(PyObject *module)
{
    error_type = PyErr_NewExceptionWithDoc(
        "holdfast._core.Error", "What libholdfast or the engine answered instead.", NULL, NULL);
    if (!add(module, "Error", error_type) || !describe(error_type, HOLDFAST_UNKNOWN, NULL))
        return -1;
    closed_type = PyErr_NewExceptionWithDoc(
        "holdfast._core.Closed", "The handle was closed, shut down, or stopped and drained.",
        error_type, NULL);
    if (!add(module, "Closed", closed_type) || !describe(closed_type, HOLDFAST_CLOSED, NULL))
        return -1;
    stream_end_type = PyErr_NewExceptionWithDoc(
        "holdfast._core.StreamEnd", "The stream has ended well: there are no more messages.", NULL,
        NULL);
    return add(module, "StreamEnd", stream_end_type) ? 0 : -1;
}
