/* What the handles have in common. */
#include "core.h"

#include <time.h>

int64_t pyhf_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t pyhf_deadline(int64_t wait_ms)
{
    int64_t now = pyhf_now_ms();
    return wait_ms < 0 || wait_ms > INT64_MAX - now ? INT64_MAX : now + wait_ms;
}

int64_t pyhf_step(int64_t deadline)
{
    if (deadline == INT64_MAX)
        return PYHF_STEP_MS;
    int64_t left = deadline - pyhf_now_ms();
    return left <= 0 ? 0 : left < PYHF_STEP_MS ? left : PYHF_STEP_MS;
}

holdfast_string pyhf_string(pyhf_text text)
{
    return (holdfast_string){text.ptr, (size_t)text.len};
}

bool pyhf_read_uid(PyObject *value, bool *required, uint32_t *uid)
{
    *required = value != NULL && value != Py_None;
    if (!*required)
        return true;
    unsigned long number = PyLong_AsUnsignedLong(value);
    if (number == (unsigned long)-1 && PyErr_Occurred())
        return false;
    if (number > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "server_uid is out of range");
        return false;
    }
    *uid = (uint32_t)number;
    return true;
}

bool pyhf_view(PyObject *data, PyObject **owner, holdfast_bytes *view)
{
    if (PyUnicode_Check(data) || PyLong_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "expected bytes or another buffer");
        return false;
    }
    /* The limited API of 3.10 has no buffers: anything but bytes is copied. */
    *owner = PyBytes_Check(data) ? Py_NewRef(data) : PyBytes_FromObject(data);
    if (*owner == NULL)
        return false;
    *view = (holdfast_bytes){PyBytes_AsString(*owner), (size_t)PyBytes_Size(*owner)};
    return true;
}

PyObject *pyhf_bytes(holdfast_bytes bytes)
{
    return PyBytes_FromStringAndSize(bytes.ptr, (Py_ssize_t)bytes.len);
}

void pyhf_free_object(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF((PyObject *)type);
}

PyTypeObject *pyhf_add_type(PyObject *module, PyType_Spec *spec, const char *name)
{
    PyObject *type = PyType_FromSpec(spec);
    if (type != NULL && name != NULL && PyModule_AddObjectRef(module, name, type) < 0)
        Py_CLEAR(type);
    return (PyTypeObject *)type;
}
