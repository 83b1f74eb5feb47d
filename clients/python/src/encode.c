/* From messages to bytes.
 *
 * The bytes are written from their end: when a message within another is written its length is
 * known, so every byte is written once and nothing is measured beforehand.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    size_t index; /* of the field */
    PyObject *value;
} entry;

typedef struct writer {
    uint8_t *start, *at, *end; /* what is written lies from `at` to `end` */
    /* What the messages that are being written have set, the innermost last. */
    entry *entries;
    size_t used, capacity;
    entry local_entries[64];
    uint8_t local[4096];
} writer;

static bool grow(writer *w, size_t size)
{
    size_t used = (size_t)(w->end - w->at);
    size_t capacity = (size_t)(w->end - w->start) * 2;
    if (capacity < used + size)
        capacity = used + size + 4096;
    uint8_t *larger = malloc(capacity);
    if (larger == NULL) {
        PyErr_NoMemory();
        return false;
    }
    memcpy(larger + capacity - used, w->at, used);
    if (w->start != w->local)
        free(w->start);
    w->start = larger;
    w->end = larger + capacity;
    w->at = w->end - used;
    return true;
}

static inline bool reserve(writer *w, size_t size)
{
    return (size_t)(w->at - w->start) >= size || grow(w, size);
}

static bool put(writer *w, const void *bytes, size_t size)
{
    if (!reserve(w, size))
        return false;
    w->at -= size;
    if (size > 0)
        memcpy(w->at, bytes, size);
    return true;
}

static bool put_varint(writer *w, uint64_t value)
{
    if (!reserve(w, 10))
        return false;
    size_t size = 1;
    for (uint64_t rest = value >> 7; rest != 0; rest >>= 7)
        size++;
    uint8_t *at = w->at -= size;
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at = (uint8_t)value;
    return true;
}

static bool put_fixed(writer *w, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    return put(w, bytes, size);
}

static bool wrong_type(const pyhf_table *table, const pyhf_field *field, const char *expected,
                       PyObject *value)
{
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__name__");
    if (name != NULL)
        PyErr_Format(PyExc_TypeError, "%U.%U: expected %s, not %U", table->name, field->name,
                     expected, name);
    Py_XDECREF(name);
    return false;
}

static bool out_of_range(const pyhf_table *table, const pyhf_field *field, PyObject *value)
{
    PyErr_Clear();
    PyErr_Format(PyExc_OverflowError, "%U.%U: %R is out of range", table->name, field->name, value);
    return false;
}

static bool is_unsigned(pyhf_kind kind)
{
    return kind == PYHF_UINT32 || kind == PYHF_UINT64 || kind == PYHF_FIXED32 ||
           kind == PYHF_FIXED64;
}

static bool has_32_bits(pyhf_kind kind)
{
    return kind == PYHF_INT32 || kind == PYHF_UINT32 || kind == PYHF_SINT32 || kind == PYHF_ENUM ||
           kind == PYHF_FIXED32 || kind == PYHF_SFIXED32;
}

/* The two's complement of an int that fits the field. */
static bool integer_bits(const pyhf_table *table, const pyhf_field *field, PyObject *value,
                         uint64_t *bits)
{
    if (!PyLong_Check(value))
        return wrong_type(table, field, "int", value);
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    *bits = (uint64_t)number;
    if (overflow > 0 && (field->kind == PYHF_UINT64 || field->kind == PYHF_FIXED64)) {
        *bits = PyLong_AsUnsignedLongLong(value);
        return PyErr_Occurred() == NULL || out_of_range(table, field, value);
    }
    bool fits = overflow == 0;
    if (is_unsigned(field->kind))
        fits = fits && number >= 0 && (!has_32_bits(field->kind) || number <= UINT32_MAX);
    else if (has_32_bits(field->kind))
        fits = fits && number >= INT32_MIN && number <= INT32_MAX;
    return fits || out_of_range(table, field, value);
}

static bool float_bits(const pyhf_table *table, const pyhf_field *field, PyObject *value,
                       uint64_t *bits)
{
    double number;
    if (PyFloat_Check(value))
        number = PyFloat_AsDouble(value);
    else if (PyLong_Check(value))
        number = PyLong_AsDouble(value);
    else
        return wrong_type(table, field, "float", value);
    if (number == -1.0 && PyErr_Occurred())
        return out_of_range(table, field, value);
    if (field->kind == PYHF_DOUBLE) {
        memcpy(bits, &number, sizeof *bits);
        return true;
    }
    float single = (float)number;
    uint32_t bits32;
    memcpy(&bits32, &single, sizeof bits32);
    *bits = bits32;
    return true;
}

static bool number_bits(const pyhf_table *table, const pyhf_field *field, PyObject *value,
                        uint64_t *bits)
{
    switch (field->kind) {
    case PYHF_BOOL:
        *bits = value == Py_True;
        return PyBool_Check(value) || wrong_type(table, field, "bool", value);
    case PYHF_FLOAT:
    case PYHF_DOUBLE:
        return float_bits(table, field, value, bits);
    case PYHF_SINT32:
    case PYHF_SINT64:
        if (!integer_bits(table, field, value, bits))
            return false;
        *bits = *bits << 1 ^ (~(*bits >> 63) + 1);
        return true;
    default:
        return integer_bits(table, field, value, bits);
    }
}

static bool put_number(writer *w, const pyhf_field *field, uint64_t bits)
{
    switch (field->wire) {
    case PYHF_WIRE_FIXED64:
        return put_fixed(w, bits, 8);
    case PYHF_WIRE_FIXED32:
        return put_fixed(w, bits, 4);
    default:
        return put_varint(w, bits);
    }
}

static bool view_content(const pyhf_table *table, const pyhf_field *field, PyObject *value,
                         const char **content, Py_ssize_t *size)
{
    if (field->kind == PYHF_BYTES) {
        if (!PyBytes_Check(value))
            return wrong_type(table, field, "bytes", value);
        *content = PyBytes_AsString(value);
        *size = PyBytes_Size(value);
        return true;
    }
    if (!PyUnicode_Check(value))
        return wrong_type(table, field, "str", value);
    *content = PyUnicode_AsUTF8AndSize(value, size);
    if (*content != NULL)
        return true;
    if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%U.%U: %R has no UTF-8", table->name, field->name, value);
    }
    return false;
}

static bool put_message(writer *w, pyhf_table *table, PyObject *message, int depth);

/* A value that is written with its length, and its tag. */
static bool put_counted(writer *w, const pyhf_table *table, pyhf_field *field, PyObject *value,
                        bool even_empty, int depth)
{
    size_t before = (size_t)(w->end - w->at);
    if (field->kind == PYHF_MESSAGE) {
        if (!PyObject_TypeCheck(value, field->type)) {
            PyObject *name = PyObject_GetAttrString((PyObject *)field->type, "__name__");
            const char *expected = name != NULL ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
            if (expected != NULL)
                wrong_type(table, field, expected, value);
            Py_XDECREF(name);
            return false;
        }
        if (depth == PYHF_DEPTH_MAX) {
            PyErr_Format(PyExc_ValueError, "%U.%U: messages are nested too deeply", table->name,
                         field->name);
            return false;
        }
        pyhf_table *inner = pyhf_field_table(field);
        if (inner == NULL || !put_message(w, inner, value, depth + 1))
            return false;
    } else {
        const char *content = NULL;
        Py_ssize_t size = 0;
        if (!view_content(table, field, value, &content, &size))
            return false;
        if (size == 0 && !even_empty)
            return true;
        if (!put(w, content, (size_t)size))
            return false;
    }
    return put_varint(w, (size_t)(w->end - w->at) - before) && put_varint(w, field->tag);
}

static bool put_single(writer *w, const pyhf_table *table, pyhf_field *field, PyObject *value,
                       int depth)
{
    if (value == Py_None && field->otherwise == Py_None)
        return true;
    if (field->wire == PYHF_WIRE_BYTES)
        return put_counted(w, table, field, value, field->presence, depth);
    uint64_t bits;
    if (!number_bits(table, field, value, &bits))
        return false;
    if (bits == 0 && !field->presence)
        return true;
    return put_number(w, field, bits) && put_varint(w, field->tag);
}

/* The list is asked anew for each item: a sequence of the user's may run code that changes it. */
static PyObject *item_at(PyObject *list, Py_ssize_t index)
{
    if (PyTuple_Check(list))
        return Py_NewRef(PyTuple_GetItem(list, index));
    if (index >= PyList_Size(list)) {
        PyErr_SetString(PyExc_RuntimeError, "a list became shorter while it was encoded");
        return NULL;
    }
    return Py_NewRef(PyList_GetItem(list, index));
}

static bool put_items(writer *w, const pyhf_table *table, pyhf_field *field, PyObject *list,
                      Py_ssize_t count, int depth)
{
    size_t before = (size_t)(w->end - w->at);
    for (Py_ssize_t i = count - 1; i >= 0; i--) {
        PyObject *value = item_at(list, i);
        if (value == NULL)
            return false;
        bool good;
        if (field->wire == PYHF_WIRE_BYTES) {
            good = put_counted(w, table, field, value, true, depth);
        } else {
            uint64_t bits;
            good = number_bits(table, field, value, &bits) && put_number(w, field, bits);
        }
        Py_DECREF(value);
        if (!good)
            return false;
    }
    if (field->wire == PYHF_WIRE_BYTES)
        return true;
    return put_varint(w, (size_t)(w->end - w->at) - before) && put_varint(w, field->tag);
}

static bool put_repeated(writer *w, const pyhf_table *table, pyhf_field *field, PyObject *value,
                         int depth)
{
    if (PyUnicode_Check(value) || PyBytes_Check(value) || !PySequence_Check(value))
        return wrong_type(table, field, "a sequence", value);
    /* Of a list or a tuple this is the same object. */
    PyObject *list = PySequence_Fast(value, "not a sequence");
    if (list == NULL)
        return false;
    Py_ssize_t count = PyTuple_Check(list) ? PyTuple_Size(list) : PyList_Size(list);
    bool good = count == 0 || put_items(w, table, field, list, count, depth);
    Py_DECREF(list);
    return good;
}

/* Adds an entry to those from `base` on, which are sorted by field. */
static bool add_entry(writer *w, size_t base, size_t index, PyObject *value)
{
    if (w->used == w->capacity) {
        entry *larger = malloc(w->capacity * 2 * sizeof *larger);
        if (larger == NULL) {
            PyErr_NoMemory();
            return false;
        }
        memcpy(larger, w->entries, w->used * sizeof *larger);
        if (w->entries != w->local_entries)
            free(w->entries);
        w->entries = larger;
        w->capacity *= 2;
    }
    size_t at = w->used++;
    for (; at > base && w->entries[at - 1].index > index; at--)
        w->entries[at] = w->entries[at - 1];
    w->entries[at] = (entry){index, Py_NewRef(value)};
    return true;
}

/* Takes what the instance has set. The values are held: code of the user's may run meanwhile. */
static bool gather(writer *w, size_t base, const pyhf_table *table, PyObject *message)
{
    if (table->count == 0)
        return true;
    PyObject *attributes = PyObject_GenericGetDict(message, NULL);
    if (attributes == NULL)
        return false;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    bool good = true;
    while (good && PyDict_Next(attributes, &position, &key, &value)) {
        const pyhf_name *found = pyhf_find_name(table, key);
        if (found == NULL) {
            PyErr_Format(PyExc_TypeError, "%U has no field %R", table->name, key);
            good = false;
        } else if (found->index >= 0) {
            good = add_entry(w, base, (size_t)found->index, value);
        }
    }
    Py_DECREF(attributes);
    return good;
}

static bool put_message(writer *w, pyhf_table *table, PyObject *message, int depth)
{
    size_t base = w->used;
    bool good = gather(w, base, table, message);
    /* From the last field to the first, because the bytes are written from their end. */
    while (w->used > base) {
        entry last = w->entries[--w->used];
        pyhf_field *field = &table->fields[last.index];
        if (good)
            good = field->repeated ? put_repeated(w, table, field, last.value, depth)
                                   : put_single(w, table, field, last.value, depth);
        Py_DECREF(last.value);
    }
    return good;
}

PyObject *pyhf_encode(PyObject *message)
{
    pyhf_table *table = pyhf_table_of(Py_TYPE(message));
    if (table == NULL)
        return NULL;
    writer w;
    w.start = w.local;
    w.at = w.end = w.local + sizeof w.local;
    w.entries = w.local_entries;
    w.used = 0;
    w.capacity = sizeof w.local_entries / sizeof *w.local_entries;
    PyObject *bytes = NULL;
    if (put_message(&w, table, message, 0))
        bytes = PyBytes_FromStringAndSize((char *)w.at, w.end - w.at);
    if (w.entries != w.local_entries)
        free(w.entries);
    if (w.start != w.local)
        free(w.start);
    return bytes;
}
