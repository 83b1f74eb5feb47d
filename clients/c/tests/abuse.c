#include "fake.h"
const test_case abuse_tests[] = {{0}};
