/* What the files of holdfast._core share.
 *
 * Everything here runs with the GIL held unless a comment says otherwise; the GIL also guards what
 * is written below as static. Only the limited API is used: one binary serves all Pythons >= 3.10.
 */
#ifndef HOLDFAST_PYTHON_CORE_H
#define HOLDFAST_PYTHON_CORE_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030A0000
#endif
#include <Python.h>

#include <holdfast.h>

/* --- Messages ------------------------------------------------------------------------------- */

/* Messages within messages: enough for any honest one, and the C stack holds it. */
#define PYHF_DEPTH_MAX 100

typedef enum pyhf_kind {
    PYHF_INT32,
    PYHF_INT64,
    PYHF_UINT32,
    PYHF_UINT64,
    PYHF_SINT32,
    PYHF_SINT64,
    PYHF_ENUM,
    PYHF_BOOL,
    PYHF_FIXED32,
    PYHF_SFIXED32,
    PYHF_FLOAT,
    PYHF_FIXED64,
    PYHF_SFIXED64,
    PYHF_DOUBLE,
    PYHF_STRING,
    PYHF_BYTES,
    PYHF_MESSAGE
} pyhf_kind;

typedef enum pyhf_wire {
    PYHF_WIRE_VARINT = 0,
    PYHF_WIRE_FIXED64 = 1,
    PYHF_WIRE_BYTES = 2,
    PYHF_WIRE_FIXED32 = 5
} pyhf_wire;

typedef struct pyhf_table pyhf_table;

typedef struct pyhf_field {
    uint32_t number;
    pyhf_kind kind;
    pyhf_wire wire; /* of one value */
    bool repeated;
    bool presence;       /* a default value is sent too when it is set: oneofs and `optional` */
    uint64_t tag;        /* as it is sent; repeated numbers are packed */
    int oneof;           /* index of its oneof, -1: none */
    PyObject *name;      /* interned */
    PyObject *otherwise; /* the default */
    PyTypeObject *type;  /* of messages */
    pyhf_table *table;   /* of `type`, once it was needed */
    /* The string that came last: many fields have the same one in message after message. */
    PyObject *recent;
    const char *recent_text;
    size_t recent_size;
} pyhf_field;

typedef struct pyhf_name {
    PyObject *name; /* interned; NULL: a free place */
    int index;      /* of the field; -1: a oneof */
} pyhf_name;

/* What the `_fields_` of a class say. Made once per class, never freed: neither is the class. */
struct pyhf_table {
    PyTypeObject *type;
    PyObject *name; /* of the class */
    size_t count;
    pyhf_field *fields; /* by number */
    size_t oneofs_count;
    PyObject **oneofs; /* names, interned */
    size_t names_mask;
    pyhf_name *names;  /* by the address of the name */
    int by_number[32]; /* index of the fields with low numbers, -1: none */
};

/* The table of a class; NULL with an exception set when its _fields_ are no good. */
pyhf_table *pyhf_table_of(PyTypeObject *type);

/* The table of a message field's class. */
pyhf_table *pyhf_field_table(pyhf_field *field);

/* The field with this number, or NULL. */
pyhf_field *pyhf_field_by_number(const pyhf_table *table, uint32_t number);

/* The place of a field or oneof by its name, or NULL (no exception is set). */
const pyhf_name *pyhf_find_name(const pyhf_table *table, PyObject *name);

PyObject *pyhf_decode(PyTypeObject *type, const uint8_t *bytes, size_t size);
PyObject *pyhf_encode(PyObject *message);

/* Adds to `into` what `from`, of the same class, has set: as if their bytes followed each other. */
int pyhf_merge(PyObject *into, PyObject *from);

extern PyTypeObject *pyhf_message_type;

int pyhf_add_message_type(PyObject *module);

/* --- Errors --------------------------------------------------------------------------------- */

int pyhf_add_errors(PyObject *module);

/* Makes an Error of `error`, which it frees; without one (NULL) only `status` is known. */
PyObject *pyhf_error_object(holdfast_status status, holdfast_error *error);

/* The same of an error that stays the caller's. */
PyObject *pyhf_error_object_of(holdfast_status status, const holdfast_error *error);

/* Raises that; returns NULL. */
PyObject *pyhf_raise(holdfast_status status, holdfast_error *error);

/* Raises Closed; returns NULL. */
PyObject *pyhf_raise_closed(const char *what);

/* Raises StreamEnd; returns NULL. */
PyObject *pyhf_raise_stream_end(void);

/* --- Handles -------------------------------------------------------------------------------- */

/* A wait in C is cut into steps: signal handlers run between them, and what another thread has
 * closed or handed over is seen. */
#define PYHF_STEP_MS 100

/* Milliseconds of a monotonic clock. */
int64_t pyhf_now_ms(void);

/* The instant at which a wait of wait_ms (< 0: forever, which is INT64_MAX) is over. */
int64_t pyhf_deadline(int64_t wait_ms);

/* The length of the next step until a deadline. */
int64_t pyhf_step(int64_t deadline);

/* A str or None as PyArg_Parse's z# leaves it. */
typedef struct pyhf_text {
    const char *ptr;
    Py_ssize_t len;
} pyhf_text;

holdfast_string pyhf_string(pyhf_text text);

/* Reads a uid, or None or NULL: none is required; false: an exception is set. */
bool pyhf_read_uid(PyObject *value, bool *required, uint32_t *uid);

/* A view of a bytes-like object, which stays valid while *owner lives; false: TypeError. */
bool pyhf_view(PyObject *data, PyObject **owner, holdfast_bytes *view);

PyObject *pyhf_bytes(holdfast_bytes bytes);

/* Gives an object of one of our types, whose content is gone, back. */
void pyhf_free_object(PyObject *self);

int pyhf_add_client_types(PyObject *module);
int pyhf_add_worker_type(PyObject *module);

/* Makes a type, and adds it to the module unless `name` is NULL. */
PyTypeObject *pyhf_add_type(PyObject *module, PyType_Spec *spec, const char *name);

#endif
