/* What the files of Client and Stream share. */
#ifndef HOLDFAST_PYTHON_CLIENT_H
#define HOLDFAST_PYTHON_CLIENT_H

#include "core.h"

/* Tags from here on are those of call() in the main thread, below are the caller's. */
#define PYHF_OWN_TAGS (UINT64_C(1) << 63)

/* A completion that somebody other than its taker waits for. */
typedef struct pyhf_kept {
    struct pyhf_kept *next;
    holdfast_completion *completion;
} pyhf_kept;

/* A call() that waits for the completion with its tag. */
typedef struct pyhf_own_call {
    struct pyhf_own_call *next;
    uint64_t tag;
    holdfast_completion *completion;
} pyhf_own_call;

typedef struct pyhf_client {
    PyObject_HEAD
    holdfast_client *handle;
    bool closed;
    /* Threads inside a function without the GIL, and streams: the last one frees the handle. */
    size_t inside;
    unsigned long main_thread;
    uint64_t next_tag;
    pyhf_own_call *own_calls;
    pyhf_kept *kept, *kept_last;
} pyhf_client;

/* false: Closed was raised. */
bool pyhf_client_enter(pyhf_client *self);
void pyhf_client_leave(pyhf_client *self);

/* Connects; the GIL is let go, and in the main thread signals are handled meanwhile. false: an
 * exception is set. */
bool pyhf_connect(const holdfast_client_options *options, bool is_main, holdfast_client **client);

/* call(), submit(), next_completion(), cancel_call(). */
PyObject *pyhf_client_call(PyObject *object, PyObject *args, PyObject *kwargs);
PyObject *pyhf_client_submit(PyObject *object, PyObject *args, PyObject *kwargs);
PyObject *pyhf_client_next_completion(PyObject *object, PyObject *args, PyObject *kwargs);
PyObject *pyhf_client_cancel_call(PyObject *object, PyObject *tag);
void pyhf_client_drop_kept(pyhf_client *self);

/* open(), open_two_way(). */
PyObject *pyhf_client_open(PyObject *object, PyObject *args, PyObject *kwargs);
PyObject *pyhf_client_open_two_way(PyObject *object, PyObject *args, PyObject *kwargs);
int pyhf_add_stream_type(PyObject *module);

#endif
