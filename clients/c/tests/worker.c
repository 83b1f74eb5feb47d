#include "fake.h"
const test_case worker_tests[] = {{0}};
