// Numbers of the scene language: [+-] (digits [. [digits]] | . digits) [(e|E|d|D) [+-] digits], not
// followed by a letter, a digit, '_' or '.'.
#pragma once
#include <cstdint>

// Each returns where the number ends; nullptr if there is none, or one that a double or an int32_t
// does not hold.
//
// The double is the nearest one, as Python's float() gives it.
const char* parse_number(const char* first, const char* end, double& value);
const char* parse_integer(const char* first, const char* end, int32_t& value);

// The float nearest to the double, so that a decimal is rounded twice, as float32(float(text)) does
// in Python: one decimal in some 10^8 becomes the second nearest float. Infinite beyond all floats.
float narrowed(double value);
