// A library that lies with the module that needs it, in a version that its build chooses.
extern "C" [[gnu::visibility("default")]] const char* own_text() {
  return OWN_TEXT;
}
