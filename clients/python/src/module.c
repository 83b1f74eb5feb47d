/* holdfast._core: the protocol's messages, and libholdfast's client and worker. */
#include "core.h"

static int add_constants(PyObject *module)
{
    static const struct {
        const char *name;
        long value;
    } constants[] = {
        {"TASK_ACTIVATION", HOLDFAST_TASK_ACTIVATION},
        {"TASK_REPLAY_HISTORY", HOLDFAST_TASK_REPLAY_HISTORY},
        {"TASK_EVICT", HOLDFAST_TASK_EVICT},
        {"TASK_ACTIVITY", HOLDFAST_TASK_ACTIVITY},
        {"TASK_ACTIVITY_CANCEL", HOLDFAST_TASK_ACTIVITY_CANCEL},
        {"TASK_DISCONNECTED", HOLDFAST_TASK_DISCONNECTED},
        {"TASK_RECORDED", HOLDFAST_TASK_RECORDED},
        {"STATE_CONNECTING", HOLDFAST_WORKER_CONNECTING},
        {"STATE_ATTACHED", HOLDFAST_WORKER_ATTACHED},
        {"STATE_DRAINING", HOLDFAST_WORKER_DRAINING},
        {"STATE_CLOSED", HOLDFAST_WORKER_CLOSED},
        {"DEPTH_MAX", PYHF_DEPTH_MAX},
    };
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    }
    return PyModule_AddStringConstant(module, "LIBRARY_VERSION", holdfast_version());
}

static int fill(PyObject *module)
{
    if (!holdfast_version_check(HOLDFAST_VERSION_NUMBER)) {
        PyErr_Format(PyExc_ImportError, "libholdfast %s is too old, or a later major version",
                     holdfast_version());
        return -1;
    }
    if (pyhf_add_message_type(module) < 0 || pyhf_add_errors(module) < 0 ||
        pyhf_add_worker_type(module) < 0 || pyhf_add_client_types(module) < 0)
        return -1;
    return add_constants(module);
}

/* Not per interpreter: the compiled messages are static. */
static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "holdfast._core",
    .m_doc = PyDoc_STR("The protocol's messages, and libholdfast's client and worker."),
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__core(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && fill(module) < 0)
        Py_CLEAR(module);
    return module;
}
