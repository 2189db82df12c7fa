#!/usr/bin/python3
"""Small changes to the headers of the module interface, of the kind that people make.

  edits.py NAME FROM TO   copies the folder FROM/sluice to TO/sluice with the edit NAME applied
"""
import pathlib
import re
import sys

NEXT_MINOR = ("abi.h", r"(kAbiMinor) = (\d+)", lambda found: f"{found[1]} = {int(found[2]) + 1}")

# One of each kind at the end, which is what a newer minor may bring.
APPENDED = [
    NEXT_MINOR,
    ("abi.h", r"(struct Request \{(?:.*\n)*?)\};", r"\1  std::uint64_t appended_member = 0;\n};"),
    ("abi.h", r"(const char\* choices = nullptr;.*\n)", r'\1  const char* appended_text = "";\n'),
    ("abi.h", r"(struct ModuleInfo \{(?:.*\n)*?)\};", r"\1  std::uint64_t appended_member = 0;\n};"),
    ("abi.h", r"  user_agent,\n", "  user_agent,\n  appended_field,\n"),
    ("handler.h", r"(class Handler \{(?:.*\n)*?)\};",
     r"\1  virtual std::uint32_t appended() { return 0; }\n};"),
    ("handler.h", r"(virtual std::uint64_t claims\(.*\n)",
     r"\1  virtual std::uint32_t appended() const { return 7; }\n"),
    ("handler.h", r"(virtual Progress pump\(.*\n)", r"\1  virtual void appended() {}\n"),
    ("abi.h", r"(struct Outcome \{(?:.*\n)*?)\};", r"\1  std::uint64_t appended_member = 0;\n};"),
    ("filter.h", r"(class Filter \{(?:.*\n)*?)\};", r"\1  virtual void appended() {}\n};"),
    ("filter.h", r"(virtual bool replace\(.*\n)", r"\1  virtual void appended() {}\n"),
    ("handler.h", r"class FieldBlock;", "class Appended {\n public:\n  virtual void appended() = 0;\n};\n\\g<0>"),
]

# What must wait for the next major, each with a part of the sentence that it earns.
BREAKING = {
    "methods_swapped": ("class Sink had at 1 write", [
        ("handler.h", r"(  virtual Moved write\(.*\n)((?:  //.*\n)*  virtual Moved send_file\(.*\n)", r"\2\1")]),
    "method_removed": ("class Handler had at 3 retire() -> void, and has nothing", [
        ("handler.h", r"(class Handler \{(?:.*\n)*?)  virtual void retire\(\) \{\}\n(?:.*\n)*?\};", r"\1};")]),
    "method_inserted": ("class Body had at 2 pump", [
        ("handler.h", r"(  virtual Progress pump\(.*\n)", r"  virtual void inserted() {}\n\1")]),
    "parameter_changed": ("class Host had at 10 timer", [
        ("handler.h", r"timer\(std::uint64_t delay_ms", "timer(std::uint32_t delay_ms")]),
    "result_changed": ("class Host had at 9 unwatch", [
        ("handler.h", r"virtual void unwatch", "virtual bool unwatch")]),
    "destructor_made_virtual": ("class Holder had at 0 release", [
        ("handler.h", r"(class Holder \{\n public:\n)((?:.*\n)*?)\n protected:\n  ~Holder\(\) = default;\n",
         r"\1  virtual ~Holder() = default;\n\2")]),
    "class_removed": ("class Holder is gone", [
        ("handler.h", r"class Holder \{(?:.*\n)*?\};", "class Holder;")]),
    "member_inserted": ("growing struct Request had at 104 body_size", [
        ("abi.h", r"(  std::uint64_t body_size = 0;)", r"  std::uint64_t inserted = 0;\n\1")]),
    "members_swapped": ("growing struct OptionInfo had at 16 fallback", [
        ("abi.h", r"(  const char\* fallback = .*\n)(  const char\* help = .*\n)", r"\2\1")]),
    "frozen_struct_grown": ("struct Moved was 16 bytes, and is 24 bytes", [
        ("abi.h", r"(  Io status = Io::ok;\n)(  std::uint32_t reserved = 0;\n)", r"\1\2  std::uint64_t more = 0;\n")]),
    "enumerator_inserted": ("enum Progress had at 1 more", [
        ("abi.h", r"(  more,    //)", r"  inserted,\n\1")]),
    "enum_narrowed": ("enum Io was uint32, and is", [
        ("abi.h", r"enum class Io : std::uint32_t", "enum class Io : std::uint8_t")]),
    "constant_changed": ("enum Constants had at 18446744073709551615 unknown_size", [
        ("abi.h", r"kUnknownSize = ~std::uint64_t\{0\}", "kUnknownSize = ~std::uint64_t{0} >> 1")]),
}


def apply(steps, source, target):
    folder = pathlib.Path(target, "sluice")
    folder.mkdir(parents=True, exist_ok=True)
    texts = {path.name: path.read_text() for path in pathlib.Path(source, "sluice").glob("*.h")}
    for name, pattern, replacement in steps:
        texts[name], count = re.subn(pattern, replacement, texts[name], count=1)
        if count == 0:
            raise ValueError(f"{name} has nothing like {pattern}: mend the edit in {__file__}")
    for name, text in texts.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    apply(APPENDED if sys.argv[1] == "appended" else BREAKING[sys.argv[1]][1], *sys.argv[2:])
