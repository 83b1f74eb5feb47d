/* The `_fields_` of message classes, compiled. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

typedef struct kind_name {
    const char *name;
    pyhf_kind kind;
    pyhf_wire wire;
} kind_name;

static const kind_name kinds[] = {
    {"int32", PYHF_INT32, PYHF_WIRE_VARINT},        {"int64", PYHF_INT64, PYHF_WIRE_VARINT},
    {"uint32", PYHF_UINT32, PYHF_WIRE_VARINT},      {"uint64", PYHF_UINT64, PYHF_WIRE_VARINT},
    {"sint32", PYHF_SINT32, PYHF_WIRE_VARINT},      {"sint64", PYHF_SINT64, PYHF_WIRE_VARINT},
    {"enum", PYHF_ENUM, PYHF_WIRE_VARINT},          {"bool", PYHF_BOOL, PYHF_WIRE_VARINT},
    {"fixed32", PYHF_FIXED32, PYHF_WIRE_FIXED32},   {"sfixed32", PYHF_SFIXED32, PYHF_WIRE_FIXED32},
    {"float", PYHF_FLOAT, PYHF_WIRE_FIXED32},       {"fixed64", PYHF_FIXED64, PYHF_WIRE_FIXED64},
    {"sfixed64", PYHF_SFIXED64, PYHF_WIRE_FIXED64}, {"double", PYHF_DOUBLE, PYHF_WIRE_FIXED64},
    {"string", PYHF_STRING, PYHF_WIRE_BYTES},       {"bytes", PYHF_BYTES, PYHF_WIRE_BYTES},
    {"message", PYHF_MESSAGE, PYHF_WIRE_BYTES},
};

/* All tables, by the address of their class. */
static pyhf_table **tables;
static size_t tables_mask;
static size_t tables_count;

static size_t hash_of(const void *address)
{
    uint64_t bits = (uint64_t)(uintptr_t)address >> 4;
    return (size_t)((bits * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

static pyhf_table **place_of(pyhf_table **places, size_t mask, const PyTypeObject *type)
{
    size_t at = hash_of(type) & mask;
    while (places[at] != NULL && places[at]->type != type)
        at = (at + 1) & mask;
    return &places[at];
}

static bool remember(pyhf_table *table)
{
    if (tables == NULL || tables_count * 2 > tables_mask) {
        size_t size = tables == NULL ? 1024 : (tables_mask + 1) * 2;
        pyhf_table **larger = calloc(size, sizeof *larger);
        if (larger == NULL)
            return false;
        for (size_t i = 0; tables != NULL && i <= tables_mask; i++) {
            if (tables[i] != NULL)
                *place_of(larger, size - 1, tables[i]->type) = tables[i];
        }
        free(tables);
        tables = larger;
        tables_mask = size - 1;
    }
    *place_of(tables, tables_mask, table->type) = table;
    tables_count++;
    return true;
}

const pyhf_name *pyhf_find_name(const pyhf_table *table, PyObject *name)
{
    size_t at = hash_of(name) & table->names_mask;
    for (; table->names[at].name != NULL; at = (at + 1) & table->names_mask) {
        if (table->names[at].name == name)
            return &table->names[at];
    }
    /* Not interned: a name that was put together at run time. */
    if (!PyUnicode_Check(name))
        return NULL;
    for (at = 0; at <= table->names_mask; at++) {
        PyObject *other = table->names[at].name;
        if (other != NULL && PyUnicode_Compare(other, name) == 0)
            return &table->names[at];
    }
    PyErr_Clear();
    return NULL;
}

static void add_name(pyhf_table *table, PyObject *name, int index)
{
    size_t at = hash_of(name) & table->names_mask;
    while (table->names[at].name != NULL)
        at = (at + 1) & table->names_mask;
    table->names[at] = (pyhf_name){name, index};
}

pyhf_field *pyhf_field_by_number(const pyhf_table *table, uint32_t number)
{
    if (number < 32)
        return table->by_number[number] >= 0 ? &table->fields[table->by_number[number]] : NULL;
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->fields[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->count && table->fields[low].number == number ? &table->fields[low] : NULL;
}

static int by_number(const void *left, const void *right)
{
    uint32_t a = ((const pyhf_field *)left)->number, b = ((const pyhf_field *)right)->number;
    return a < b ? -1 : a > b;
}

static bool is_number(pyhf_kind kind)
{
    return kind != PYHF_STRING && kind != PYHF_BYTES && kind != PYHF_MESSAGE;
}

static bool set_kind(pyhf_field *field, const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        field->kind = kinds[i].kind;
        field->wire = kinds[i].wire;
        bool packed = field->repeated && is_number(field->kind);
        field->tag = (uint64_t)field->number << 3 | (packed ? PYHF_WIRE_BYTES : field->wire);
        return true;
    }
    PyErr_Format(PyExc_TypeError, "_fields_: no kind is named %s", name);
    return false;
}

/* The index of the oneof with this name, which may be new. */
static int oneof_index(pyhf_table *table, PyObject *name)
{
    for (size_t i = 0; i < table->oneofs_count; i++) {
        if (PyUnicode_Compare(table->oneofs[i], name) == 0)
            return (int)i;
    }
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    table->oneofs[table->oneofs_count] = name;
    return (int)table->oneofs_count++;
}

static bool read_field(pyhf_table *table, pyhf_field *field, PyObject *spec)
{
    PyObject *name, *type, *oneof;
    const char *kind;
    unsigned int number;
    int repeated;
    if (!PyArg_ParseTuple(spec, "IUspOO", &number, &name, &kind, &repeated, &type, &oneof))
        return false;
    field->number = number;
    field->repeated = repeated != 0;
    if (number == 0 || number >= 1u << 29) {
        PyErr_SetString(PyExc_TypeError, "_fields_: a number is out of range");
        return false;
    }
    if (!set_kind(field, kind))
        return false;
    if (field->kind == PYHF_MESSAGE) {
        if (!PyType_Check(type) || !PyType_IsSubtype((PyTypeObject *)type, pyhf_message_type)) {
            PyErr_Format(PyExc_TypeError, "_fields_: %U has no message class", name);
            return false;
        }
        field->type = (PyTypeObject *)Py_NewRef(type);
    }
    field->name = Py_NewRef(name);
    PyUnicode_InternInPlace(&field->name);
    field->otherwise = PyObject_GetAttr((PyObject *)table->type, field->name);
    if (field->otherwise == NULL)
        return false;
    field->oneof = -1;
    if (oneof != Py_None) {
        if (!PyUnicode_Check(oneof)) {
            PyErr_SetString(PyExc_TypeError, "_fields_: a oneof's name is no str");
            return false;
        }
        field->oneof = oneof_index(table, oneof);
    }
    field->presence = field->oneof >= 0 || field->otherwise == Py_None;
    return true;
}

static bool index_fields(pyhf_table *table)
{
    qsort(table->fields, table->count, sizeof *table->fields, by_number);
    size_t places = 8;
    while (places < (table->count + table->oneofs_count) * 2)
        places *= 2;
    table->names = calloc(places, sizeof *table->names);
    if (table->names == NULL) {
        PyErr_NoMemory();
        return false;
    }
    table->names_mask = places - 1;
    memset(table->by_number, -1, sizeof table->by_number);
    for (size_t i = 0; i < table->count; i++) {
        const pyhf_field *field = &table->fields[i];
        if (i > 0 && field[-1].number == field->number) {
            PyErr_Format(PyExc_TypeError, "_fields_: the number %u comes twice", field->number);
            return false;
        }
        if (field->number < 32)
            table->by_number[field->number] = (int)i;
        add_name(table, field->name, (int)i);
    }
    for (size_t i = 0; i < table->oneofs_count; i++)
        add_name(table, table->oneofs[i], -1);
    return true;
}

static void free_table(pyhf_table *table)
{
    for (size_t i = 0; i < table->count && table->fields != NULL; i++) {
        Py_XDECREF(table->fields[i].name);
        Py_XDECREF(table->fields[i].otherwise);
        Py_XDECREF((PyObject *)table->fields[i].type);
    }
    for (size_t i = 0; i < table->oneofs_count; i++)
        Py_DECREF(table->oneofs[i]);
    Py_XDECREF(table->name);
    Py_XDECREF((PyObject *)table->type);
    free(table->fields);
    free(table->oneofs);
    free(table->names);
    free(table);
}

static bool fill(pyhf_table *table, PyObject *specs)
{
    table->name = PyObject_GetAttrString((PyObject *)table->type, "__name__");
    if (table->name == NULL)
        return false;
    if (!PyTuple_Check(specs)) {
        PyErr_Format(PyExc_TypeError, "%U._fields_ is no tuple", table->name);
        return false;
    }
    table->count = (size_t)PyTuple_Size(specs);
    table->fields = calloc(table->count + 1, sizeof *table->fields);
    table->oneofs = calloc(table->count + 1, sizeof *table->oneofs);
    if (table->fields == NULL || table->oneofs == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < table->count; i++) {
        PyObject *spec = PyTuple_GetItem(specs, (Py_ssize_t)i);
        if (!PyTuple_Check(spec)) {
            PyErr_Format(PyExc_TypeError, "%U._fields_ holds what is no tuple", table->name);
            return false;
        }
        if (!read_field(table, &table->fields[i], spec))
            return false;
    }
    return index_fields(table);
}

static pyhf_table *compile(PyTypeObject *type)
{
    PyObject *specs = PyObject_GetAttrString((PyObject *)type, "_fields_");
    if (specs == NULL)
        return NULL;
    pyhf_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        Py_DECREF(specs);
        PyErr_NoMemory();
        return NULL;
    }
    table->type = (PyTypeObject *)Py_NewRef((PyObject *)type);
    bool good = fill(table, specs);
    Py_DECREF(specs);
    if (good && !remember(table)) {
        PyErr_NoMemory();
        good = false;
    }
    if (!good) {
        free_table(table);
        return NULL;
    }
    return table;
}

pyhf_table *pyhf_table_of(PyTypeObject *type)
{
    if (tables != NULL) {
        pyhf_table *found = *place_of(tables, tables_mask, type);
        if (found != NULL)
            return found;
    }
    return compile(type);
}

pyhf_table *pyhf_field_table(pyhf_field *field)
{
    if (field->table == NULL)
        field->table = pyhf_table_of(field->type);
    return field->table;
}
