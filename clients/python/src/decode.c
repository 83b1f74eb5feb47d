/* From bytes to messages.
 *
 * The values of a message are first gathered, one slot per field, and set as attributes when its
 * bytes are read: so an object is only made of what is well-formed, in the order of its fields.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

/* Strings longer than this are not likely to come again. */
#define RECENT_SIZE_MAX 64

typedef struct decoder {
    const uint8_t *start;
    /* The slots of the messages that are being read, the innermost last; then one per oneof: the
     * index of the member that is set, plus one. */
    PyObject **slots;
    size_t used, capacity;
    /* For the error: which field is being read at each depth, NULL: its tag. */
    const pyhf_field *trail[PYHF_DEPTH_MAX + 1];
    int fault_depth;
    const char *fault; /* NULL: a Python exception is set */
    const uint8_t *fault_at;
    PyObject *local[64];
} decoder;

static bool fail(decoder *d, const char *fault, const uint8_t *at)
{
    d->fault = fault;
    d->fault_at = at;
    return false;
}

static bool read_varint(decoder *d, const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    const uint8_t *p = *at;
    uint64_t result = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (p == end)
            return fail(d, "the bytes end in a number", *at);
        uint8_t byte = *p++;
        if (shift == 63 && byte > 1)
            return fail(d, "a number has more than 64 bits", *at);
        result |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *at = p;
            *value = result;
            return true;
        }
    }
    return fail(d, "a number has more than 64 bits", *at);
}

static bool read_size(decoder *d, const uint8_t **at, const uint8_t *end, size_t *size)
{
    const uint8_t *before = *at;
    uint64_t value;
    if (!read_varint(d, at, end, &value))
        return false;
    if (value > (uint64_t)(end - *at))
        return fail(d, "a length goes beyond the end", before);
    *size = (size_t)value;
    return true;
}

static bool skip(decoder *d, unsigned wire, const uint8_t **at, const uint8_t *end)
{
    uint64_t ignored;
    size_t size;
    switch (wire) {
    case PYHF_WIRE_VARINT:
        return read_varint(d, at, end, &ignored);
    case PYHF_WIRE_BYTES:
        if (!read_size(d, at, end, &size))
            return false;
        break;
    case PYHF_WIRE_FIXED64:
        size = 8;
        break;
    case PYHF_WIRE_FIXED32:
        size = 4;
        break;
    default:
        return fail(d, "an unknown wire type", *at);
    }
    if (size > (size_t)(end - *at))
        return fail(d, "the bytes end in a number", *at);
    *at += size;
    return true;
}

static PyObject *of_varint(pyhf_kind kind, uint64_t value)
{
    switch (kind) {
    case PYHF_BOOL:
        return Py_NewRef(value != 0 ? Py_True : Py_False);
    case PYHF_UINT32:
        return PyLong_FromUnsignedLongLong((uint32_t)value);
    case PYHF_UINT64:
        return PyLong_FromUnsignedLongLong(value);
    case PYHF_SINT32:
        value = (uint32_t)value;
        return PyLong_FromLong((int32_t)(uint32_t)(value >> 1 ^ (~(value & 1) + 1)));
    case PYHF_SINT64:
        return PyLong_FromLongLong((int64_t)(value >> 1 ^ (~(value & 1) + 1)));
    case PYHF_INT64:
        return PyLong_FromLongLong((int64_t)value);
    default:
        return PyLong_FromLong((int32_t)(uint32_t)value);
    }
}

static uint64_t little_endian(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static PyObject *of_fixed(pyhf_kind kind, uint64_t bits)
{
    uint32_t bits32 = (uint32_t)bits;
    float single;
    double number;
    switch (kind) {
    case PYHF_FLOAT:
        memcpy(&single, &bits32, sizeof single);
        return PyFloat_FromDouble(single);
    case PYHF_DOUBLE:
        memcpy(&number, &bits, sizeof number);
        return PyFloat_FromDouble(number);
    case PYHF_SFIXED32:
        return PyLong_FromLong((int32_t)bits32);
    case PYHF_SFIXED64:
        return PyLong_FromLongLong((int64_t)bits);
    default:
        return PyLong_FromUnsignedLongLong(bits);
    }
}

static PyObject *read_number(decoder *d, const pyhf_field *field, const uint8_t **at,
                             const uint8_t *end)
{
    if (field->wire == PYHF_WIRE_VARINT) {
        uint64_t value;
        return read_varint(d, at, end, &value) ? of_varint(field->kind, value) : NULL;
    }
    size_t size = field->wire == PYHF_WIRE_FIXED64 ? 8 : 4;
    if ((size_t)(end - *at) < size) {
        fail(d, "the bytes end in a number", *at);
        return NULL;
    }
    uint64_t bits = little_endian(*at, size);
    *at += size;
    return of_fixed(field->kind, bits);
}

static PyObject *read_string(decoder *d, pyhf_field *field, const char *text, size_t size)
{
    if (size == field->recent_size && field->recent != NULL &&
        memcmp(text, field->recent_text, size) == 0)
        return Py_NewRef(field->recent);
    PyObject *made = PyUnicode_DecodeUTF8(text, (Py_ssize_t)size, NULL);
    if (made == NULL) {
        if (PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
            PyErr_Clear();
            fail(d, "a string is not UTF-8", (const uint8_t *)text);
        }
        return NULL;
    }
    Py_ssize_t recent_size;
    const char *recent =
        size <= RECENT_SIZE_MAX ? PyUnicode_AsUTF8AndSize(made, &recent_size) : NULL;
    if (recent != NULL) {
        Py_XDECREF(field->recent);
        field->recent = Py_NewRef(made);
        field->recent_text = recent;
        field->recent_size = (size_t)recent_size;
    } else {
        PyErr_Clear();
    }
    return made;
}

static PyObject *read_message(decoder *d, pyhf_table *table, const uint8_t *at, const uint8_t *end,
                              int depth);

/* One value behind its length. */
static PyObject *read_counted(decoder *d, pyhf_field *field, const uint8_t **at, const uint8_t *end,
                              int depth)
{
    size_t size;
    if (!read_size(d, at, end, &size))
        return NULL;
    const uint8_t *content = *at;
    *at += size;
    if (field->kind == PYHF_STRING)
        return read_string(d, field, (const char *)content, size);
    if (field->kind == PYHF_BYTES)
        return PyBytes_FromStringAndSize((const char *)content, (Py_ssize_t)size);
    pyhf_table *table = pyhf_field_table(field);
    if (table == NULL)
        return NULL;
    if (depth == PYHF_DEPTH_MAX) {
        fail(d, "messages are nested too deeply", content);
        return NULL;
    }
    return read_message(d, table, content, content + size, depth + 1);
}

/* Takes `value` over. */
static bool append(PyObject *list, PyObject *value)
{
    if (value == NULL)
        return false;
    int status = PyList_Append(list, value);
    Py_DECREF(value);
    return status == 0;
}

static bool read_repeated(decoder *d, pyhf_field *field, size_t slot, unsigned wire,
                          const uint8_t **at, const uint8_t *end, int depth)
{
    PyObject *list = d->slots[slot];
    if (list == NULL && (list = d->slots[slot] = PyList_New(0)) == NULL)
        return false;
    if (wire == field->wire) {
        return append(list, wire == PYHF_WIRE_BYTES ? read_counted(d, field, at, end, depth)
                                                    : read_number(d, field, at, end));
    }
    if (wire != PYHF_WIRE_BYTES)
        return fail(d, "another wire type than the field's", *at);
    size_t size;
    if (!read_size(d, at, end, &size))
        return false;
    const uint8_t *packed_end = *at + size;
    while (*at < packed_end) {
        if (!append(list, read_number(d, field, at, packed_end)))
            return false;
    }
    return true;
}

/* Of a oneof the member that comes last counts. */
static void choose(decoder *d, const pyhf_table *table, size_t base, const pyhf_field *field)
{
    PyObject **chosen = &d->slots[base + table->count + (size_t)field->oneof];
    uintptr_t index = (uintptr_t)(field - table->fields);
    uintptr_t before = (uintptr_t)*chosen;
    if (before != 0 && before != index + 1)
        Py_CLEAR(d->slots[base + before - 1]);
    *chosen = (PyObject *)(index + 1);
}

static bool read_field(decoder *d, const pyhf_table *table, size_t base, pyhf_field *field,
                       unsigned wire, const uint8_t **at, const uint8_t *end, int depth)
{
    size_t slot = base + (size_t)(field - table->fields);
    if (field->repeated)
        return read_repeated(d, field, slot, wire, at, end, depth);
    if (wire != field->wire)
        return fail(d, "another wire type than the field's", *at);
    PyObject *value = wire == PYHF_WIRE_BYTES ? read_counted(d, field, at, end, depth)
                                              : read_number(d, field, at, end);
    if (value == NULL)
        return false;
    if (field->oneof >= 0)
        choose(d, table, base, field);
    PyObject *before = d->slots[slot];
    if (before != NULL && field->kind == PYHF_MESSAGE) {
        int status = pyhf_merge(before, value);
        Py_DECREF(value);
        return status == 0;
    }
    d->slots[slot] = value;
    Py_XDECREF(before);
    return true;
}

static bool read_fields(decoder *d, const pyhf_table *table, size_t base, const uint8_t *at,
                        const uint8_t *end, int depth)
{
    while (at < end) {
        d->trail[depth] = NULL;
        const uint8_t *before = at;
        uint64_t tag;
        if (!read_varint(d, &at, end, &tag))
            return false;
        if (tag >> 3 == 0 || tag >> 32 != 0)
            return fail(d, "a field's number is out of range", before);
        pyhf_field *field = pyhf_field_by_number(table, (uint32_t)(tag >> 3));
        if (field == NULL) {
            if (!skip(d, tag & 7, &at, end))
                return false;
            continue;
        }
        d->trail[depth] = field;
        if (!read_field(d, table, base, field, tag & 7, &at, end, depth))
            return false;
    }
    return true;
}

static bool reserve(decoder *d, size_t count)
{
    if (d->capacity - d->used < count) {
        size_t capacity = (d->used + count) * 2;
        PyObject **larger = malloc(capacity * sizeof *larger);
        if (larger == NULL) {
            PyErr_NoMemory();
            return false;
        }
        memcpy(larger, d->slots, d->used * sizeof *larger);
        if (d->slots != d->local)
            free(d->slots);
        d->slots = larger;
        d->capacity = capacity;
    }
    memset(d->slots + d->used, 0, count * sizeof *d->slots);
    d->used += count;
    return true;
}

/* Makes the object of what the slots from `base` on hold. */
static PyObject *make(const decoder *d, const pyhf_table *table, size_t base)
{
    PyObject *made = PyType_GenericAlloc(table->type, 0);
    if (made == NULL)
        return NULL;
    for (size_t i = 0; i < table->count; i++) {
        PyObject *value = d->slots[base + i];
        if (value != NULL && PyObject_GenericSetAttr(made, table->fields[i].name, value) < 0) {
            Py_DECREF(made);
            return NULL;
        }
    }
    for (size_t i = 0; i < table->oneofs_count; i++) {
        uintptr_t chosen = (uintptr_t)d->slots[base + table->count + i];
        if (chosen != 0 &&
            PyObject_GenericSetAttr(made, table->oneofs[i], table->fields[chosen - 1].name) < 0) {
            Py_DECREF(made);
            return NULL;
        }
    }
    return made;
}

static PyObject *read_message(decoder *d, pyhf_table *table, const uint8_t *at, const uint8_t *end,
                              int depth)
{
    size_t base = d->used;
    if (!reserve(d, table->count + table->oneofs_count))
        return NULL;
    PyObject *made = NULL;
    if (read_fields(d, table, base, at, end, depth))
        made = make(d, table, base);
    else if (d->fault_depth < depth)
        d->fault_depth = depth;
    for (size_t i = 0; i < table->count; i++)
        Py_XDECREF(d->slots[base + i]);
    d->used = base;
    return made;
}

static void raise_fault(const decoder *d, const pyhf_table *table)
{
    PyObject *path = Py_NewRef(table->name);
    for (int depth = 0; depth <= d->fault_depth && path != NULL; depth++) {
        if (d->trail[depth] == NULL)
            break;
        PyObject *longer = PyUnicode_FromFormat("%U.%U", path, d->trail[depth]->name);
        Py_DECREF(path);
        path = longer;
    }
    if (path == NULL)
        return;
    PyErr_Format(PyExc_ValueError, "%U: %s, at byte %zd", path, d->fault,
                 (Py_ssize_t)(d->fault_at - d->start));
    Py_DECREF(path);
}

PyObject *pyhf_decode(PyTypeObject *type, const uint8_t *bytes, size_t size)
{
    pyhf_table *table = pyhf_table_of(type);
    if (table == NULL)
        return NULL;
    decoder d;
    d.start = bytes;
    d.slots = d.local;
    d.used = 0;
    d.capacity = sizeof d.local / sizeof *d.local;
    d.fault_depth = -1;
    d.fault = NULL;
    PyObject *made = read_message(&d, table, bytes, bytes + size, 0);
    if (made == NULL && d.fault != NULL)
        raise_fault(&d, table);
    if (d.slots != d.local)
        free(d.slots);
    return made;
}
