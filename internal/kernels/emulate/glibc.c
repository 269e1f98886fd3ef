// The two functions of glibc 2.38 that the package bochscpu-python 0.4.0 calls,
// for systems with an older one. See the script run beside this file.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

unsigned long long __isoc23_strtoull(const char *text, char **end, int base) { return strtoull(text, end, base); }

int __isoc23_sscanf(const char *text, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	int read = vsscanf(text, format, arguments);
	va_end(arguments);
	return read;
}
