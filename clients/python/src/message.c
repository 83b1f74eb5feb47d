/* The base class of all messages. */
#include "core.h"

PyTypeObject *pyhf_message_type;

static int set_field(const pyhf_table *table, PyObject *self, PyObject *key, PyObject *value)
{
    const pyhf_name *found = pyhf_find_name(table, key);
    if (found == NULL || found->index < 0) {
        PyErr_Format(PyExc_TypeError, "%U has no field %R", table->name, key);
        return -1;
    }
    const pyhf_field *field = &table->fields[found->index];
    if (value == Py_None && field->otherwise == Py_None)
        return 0;
    if (PyObject_GenericSetAttr(self, field->name, value) < 0)
        return -1;
    if (field->oneof < 0)
        return 0;
    PyObject *oneof = table->oneofs[field->oneof];
    PyObject *before = PyObject_GenericGetAttr(self, oneof);
    if (before == NULL)
        return -1;
    bool is_free = before == Py_None;
    if (!is_free)
        PyErr_Format(PyExc_TypeError, "%U: only one of %U and %U", table->name, before,
                     field->name);
    Py_DECREF(before);
    return is_free ? PyObject_GenericSetAttr(self, oneof, field->name) : -1;
}

static int message_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    pyhf_table *table = pyhf_table_of(Py_TYPE(self));
    if (table == NULL)
        return -1;
    if (PyTuple_Size(args) > 0) {
        PyErr_Format(PyExc_TypeError, "%U takes its fields by name", table->name);
        return -1;
    }
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &key, &value)) {
        if (set_field(table, self, key, value) < 0)
            return -1;
    }
    return 0;
}

static PyObject *message_decode(PyObject *type, PyObject *data)
{
    PyObject *owner;
    holdfast_bytes view;
    if (!pyhf_view(data, &owner, &view))
        return NULL;
    PyObject *made = pyhf_decode((PyTypeObject *)type, view.ptr, view.len);
    Py_DECREF(owner);
    return made;
}

static PyObject *message_encode(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return pyhf_encode(self);
}

/* What is set, a new reference; NULL without an exception: nothing, or None where it means that. */
static PyObject *get_set(PyObject *attributes, const pyhf_field *field)
{
    PyObject *value = PyDict_GetItemWithError(attributes, field->name);
    if (value == NULL || (value == Py_None && field->otherwise == Py_None))
        return NULL;
    return Py_NewRef(value);
}

/* 1: equal, 0: not, -1: an exception. */
static int same_values(const pyhf_field *field, PyObject *left, PyObject *right)
{
    if (!field->repeated)
        return PyObject_RichCompareBool(left, right, Py_EQ);
    /* A tuple is as good as a list. */
    PyObject *a = PySequence_List(left), *b = PySequence_List(right);
    int equal = a != NULL && b != NULL ? PyObject_RichCompareBool(a, b, Py_EQ) : -1;
    Py_XDECREF(a);
    Py_XDECREF(b);
    return equal;
}

static int same_field(const pyhf_field *field, PyObject *left, PyObject *right)
{
    PyObject *a = get_set(left, field);
    PyObject *b = PyErr_Occurred() ? NULL : get_set(right, field);
    int equal;
    if (PyErr_Occurred())
        equal = -1;
    else if (a == NULL && b == NULL)
        equal = 1;
    else if (field->presence && (a == NULL || b == NULL))
        equal = 0;
    else
        equal =
            same_values(field, a != NULL ? a : field->otherwise, b != NULL ? b : field->otherwise);
    Py_XDECREF(a);
    Py_XDECREF(b);
    return equal;
}

static PyObject *message_compare(PyObject *left, PyObject *right, int operation)
{
    if ((operation != Py_EQ && operation != Py_NE) || Py_TYPE(left) != Py_TYPE(right))
        return Py_NewRef(Py_NotImplemented);
    pyhf_table *table = pyhf_table_of(Py_TYPE(left));
    if (table == NULL)
        return NULL;
    int equal = 1;
    if (table->count > 0) {
        PyObject *a = PyObject_GenericGetDict(left, NULL);
        PyObject *b = a != NULL ? PyObject_GenericGetDict(right, NULL) : NULL;
        for (size_t i = 0; i < table->count && b != NULL && equal == 1; i++)
            equal = same_field(&table->fields[i], a, b);
        if (b == NULL)
            equal = -1;
        Py_XDECREF(a);
        Py_XDECREF(b);
    }
    if (equal < 0)
        return NULL;
    return PyBool_FromLong(operation == Py_EQ ? equal : !equal);
}

static PyObject *list_parts(const pyhf_table *table, PyObject *self)
{
    PyObject *parts = PyList_New(0);
    if (parts == NULL || table->count == 0)
        return parts;
    PyObject *attributes = PyObject_GenericGetDict(self, NULL);
    bool good = attributes != NULL;
    for (size_t i = 0; i < table->count && good; i++) {
        PyObject *value = get_set(attributes, &table->fields[i]);
        if (value == NULL) {
            good = PyErr_Occurred() == NULL;
            continue;
        }
        PyObject *part = PyUnicode_FromFormat("%U=%R", table->fields[i].name, value);
        Py_DECREF(value);
        good = part != NULL && PyList_Append(parts, part) == 0;
        Py_XDECREF(part);
    }
    Py_XDECREF(attributes);
    if (!good)
        Py_CLEAR(parts);
    return parts;
}

static PyObject *message_repr(PyObject *self)
{
    pyhf_table *table = pyhf_table_of(Py_TYPE(self));
    if (table == NULL || Py_EnterRecursiveCall(" in the repr of a message") != 0)
        return NULL;
    PyObject *made = NULL;
    PyObject *parts = list_parts(table, self);
    PyObject *comma = PyUnicode_FromString(", ");
    PyObject *joined = parts != NULL && comma != NULL ? PyUnicode_Join(comma, parts) : NULL;
    if (joined != NULL)
        made = PyUnicode_FromFormat("%U(%U)", table->name, joined);
    Py_XDECREF(joined);
    Py_XDECREF(comma);
    Py_XDECREF(parts);
    Py_LeaveRecursiveCall();
    return made;
}

/* Copies or adds one attribute of `from`. */
static int merge_field(const pyhf_field *field, PyObject *into, PyObject *attributes,
                       PyObject *value)
{
    PyObject *before = PyDict_GetItemWithError(attributes, field->name);
    if (before == NULL || (!field->repeated && field->kind != PYHF_MESSAGE))
        return PyErr_Occurred() ? -1 : PyObject_GenericSetAttr(into, field->name, value);
    if (!field->repeated)
        return pyhf_merge(before, value);
    PyObject *both = PySequence_InPlaceConcat(before, value);
    Py_XDECREF(both);
    return both != NULL ? 0 : -1;
}

/* Before a member of a oneof is set, what else it had goes. */
static int clear_others(const pyhf_table *table, const pyhf_field *field, PyObject *into,
                        PyObject *attributes)
{
    for (size_t i = 0; i < table->count; i++) {
        const pyhf_field *other = &table->fields[i];
        if (other == field || other->oneof != field->oneof)
            continue;
        if (PyDict_GetItemWithError(attributes, other->name) != NULL &&
            PyObject_GenericSetAttr(into, other->name, NULL) < 0)
            return -1;
        if (PyErr_Occurred())
            return -1;
    }
    return PyObject_GenericSetAttr(into, table->oneofs[field->oneof], field->name);
}

int pyhf_merge(PyObject *into, PyObject *from)
{
    pyhf_table *table = pyhf_table_of(Py_TYPE(into));
    if (table == NULL)
        return -1;
    if (table->count == 0)
        return 0;
    PyObject *left = PyObject_GenericGetDict(into, NULL);
    PyObject *right = left != NULL ? PyObject_GenericGetDict(from, NULL) : NULL;
    int status = right != NULL ? 0 : -1;
    for (size_t i = 0; i < table->count && status == 0; i++) {
        const pyhf_field *field = &table->fields[i];
        PyObject *value = PyDict_GetItemWithError(right, field->name);
        if (value != NULL && field->oneof >= 0)
            status = clear_others(table, field, into, left);
        if (value != NULL && status == 0)
            status = merge_field(field, into, left, value);
        else if (PyErr_Occurred())
            status = -1;
    }
    Py_XDECREF(left);
    Py_XDECREF(right);
    return status;
}

static PyMethodDef message_methods[] = {
    {"decode", message_decode, METH_O | METH_CLASS,
     PyDoc_STR("decode($type, data, /)\n--\n\nReads a message from its bytes.")},
    {"encode", message_encode, METH_NOARGS,
     PyDoc_STR("encode($self, /)\n--\n\nThe message as bytes.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot message_slots[] = {
    {Py_tp_doc, "The base class of the protocol's messages."},
    {Py_tp_init, message_init},
    {Py_tp_richcompare, message_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_repr, message_repr},
    {Py_tp_methods, message_methods},
    {0, NULL},
};

static PyType_Spec message_spec = {
    .name = "holdfast._core.Message",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = message_slots,
};

int pyhf_add_message_type(PyObject *module)
{
    pyhf_message_type = pyhf_add_type(module, &message_spec, "Message");
    if (pyhf_message_type == NULL)
        return -1;
    PyObject *no_fields = PyTuple_New(0);
    int status = no_fields != NULL
                     ? PyObject_SetAttrString((PyObject *)pyhf_message_type, "_fields_", no_fields)
                     : -1;
    Py_XDECREF(no_fields);
    return status;
}
