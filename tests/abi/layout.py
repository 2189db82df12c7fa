"""The module interface as a compiler lays it out, and whether one version of it may follow another.

The facts are clang's own, read from the debugging information of an object that includes the headers: the slot of
each virtual method, the place of each member, the values of enumerators and constants.
"""
import pathlib
import subprocess
import tempfile

from elftools.elf.elffile import ELFFile

PROBE = """#include <sluice/module.h>
namespace sluice {
enum class Constants : std::uint64_t { unknown_size = kUnknownSize, layout_stamp = layout_stamp() };
}
"""
COMPILE = ["clang++", "-std=c++20", "-g", "-fno-eliminate-unused-debug-types", "-c"]
# What a newer minor may make longer: these begin with their size, or have a stride.
GROWING = {"Request", "ModuleInfo", "OptionInfo", "Outcome", "Peer"}
# Never crosses: it is each module's own.
OWN = {"ModuleText"}
DERIVED = {"DW_TAG_pointer_type": "{}*", "DW_TAG_reference_type": "{}&", "DW_TAG_const_type": "const {}",
           "DW_TAG_typedef": "{}"}
TRANSPARENT = {"DW_TAG_typedef", "DW_TAG_const_type"}
DW_ATE_SIGNED, DW_ATE_UNSIGNED = 5, 7


def name_of(die):
    name = die.attributes.get("DW_AT_name")
    return name.value.decode() if name else ""


def size_of(die):
    return die.attributes["DW_AT_byte_size"].value


def target_of(die):
    return die.get_DIE_from_attribute("DW_AT_type")


def type_of(die):
    """The type of a member, parameter or result as C++ would write it, typedefs taken off."""
    if "DW_AT_type" not in die.attributes:
        return "void"
    target = target_of(die)
    if target.tag in DERIVED:
        return DERIVED[target.tag].format(type_of(target))
    if target.tag == "DW_TAG_subroutine_type":
        return f"{type_of(target)}({parameters_of(target)})"
    if target.tag == "DW_TAG_base_type":
        encoding = target.attributes["DW_AT_encoding"].value
        if encoding in (DW_ATE_SIGNED, DW_ATE_UNSIGNED):
            return f"{'u' if encoding == DW_ATE_UNSIGNED else ''}int{8 * size_of(target)}"
    return name_of(target)


def storage_of(member):
    target = target_of(member)
    while target.tag in TRANSPARENT:
        target = target_of(target)
    return target.cu["address_size"] if target.tag == "DW_TAG_pointer_type" else size_of(target)


def formals_of(function):
    return [child for child in function.iter_children() if child.tag == "DW_TAG_formal_parameter"]


def parameters_of(function):
    return ", ".join(type_of(formal) for formal in formals_of(function) if "DW_AT_artificial" not in formal.attributes)


def slot_of(method):
    """DW_OP_constu and a number in LEB128."""
    _, *digits = method.attributes["DW_AT_vtable_elem_location"].value
    return sum((digit & 0x7F) << (7 * place) for place, digit in enumerate(digits))


def methods_of(die):
    slots = {}
    for child in die.iter_children():
        if child.tag != "DW_TAG_subprogram" or "DW_AT_vtable_elem_location" not in child.attributes:
            continue
        slot = slot_of(child)
        if name_of(child).startswith("~"):  # the one that ends an object, then the one that deletes it, too
            slots[slot] = slots[slot + 1] = f"{name_of(child)}()"
        else:
            const = " const" if type_of(formals_of(child)[0]).startswith("const ") else ""
            slots[slot] = f"{name_of(child)}({parameters_of(child)}){const} -> {type_of(child)}"
    return slots


def members_of(die):
    return {
        child.attributes["DW_AT_data_member_location"].value:
            f"{name_of(child)}: {type_of(child)}, {storage_of(child)} bytes"
        for child in die.iter_children() if "DW_AT_data_member_location" in child.attributes
    }


def enumerators_of(die):
    return {
        child.attributes["DW_AT_const_value"].value % 2**64: name_of(child)
        for child in die.iter_children() if child.tag == "DW_TAG_enumerator"
    }


def blocks_of(namespace):
    """A heading and its lines by number, for each class, struct and enum."""
    for die in namespace.iter_children():
        name = name_of(die)
        if "DW_AT_byte_size" not in die.attributes or name in OWN:
            continue
        if die.tag == "DW_TAG_enumeration_type":
            yield f"enum {name}: {type_of(die)}", enumerators_of(die)
        elif methods := methods_of(die):
            yield f"class {name}: {size_of(die)} bytes", methods
        elif die.tag in ("DW_TAG_structure_type", "DW_TAG_class_type"):
            kind = "growing struct" if name in GROWING else "struct"
            yield f"{kind} {name}: {size_of(die)} bytes", members_of(die)


def compile_layout(folder):
    """What the headers FOLDER/sluice/*.h mean. Raises CalledProcessError when they do not compile."""
    with tempfile.TemporaryDirectory() as scratch:
        source, built = pathlib.Path(scratch, "probe.cpp"), pathlib.Path(scratch, "probe.o")
        source.write_text(PROBE)
        subprocess.run([*COMPILE, "-I", folder, source, "-o", built], check=True)
        with built.open("rb") as stream:
            return {
                heading: lines
                for unit in ELFFile(stream).get_dwarf_info().iter_CUs()
                for die in unit.get_top_DIE().iter_children()
                if die.tag == "DW_TAG_namespace" and name_of(die) == "sluice"
                for heading, lines in blocks_of(die)
            }


def to_text(layout):
    lines = []
    for heading in sorted(layout):
        lines += [heading, *(f"  {number} {what}" for number, what in sorted(layout[heading].items()))]
    return "\n".join(lines) + "\n"


def from_text(text):
    layout = {}
    for line in text.splitlines():
        if line.startswith("  "):
            number, what = line.split(maxsplit=1)
            block[int(number)] = what
        else:
            block = layout[line] = {}
    return layout


def breaches(frozen, now):
    """One sentence for each thing of `frozen` that is another in `now`, or has something new before its end."""
    now = {heading.split(": ")[0]: (heading.split(": ")[1], lines) for heading, lines in now.items()}
    for heading, old in frozen.items():
        name, old_kind = heading.split(": ")
        if name not in now:
            yield f"{name} is gone"
            continue
        kind, new = now[name]
        grown = name.startswith("growing ") and int(kind.split()[0]) > int(old_kind.split()[0])
        if kind != old_kind and not grown:
            yield f"{name} was {old_kind}, and is {kind}"
        end = int(old_kind.split()[0]) if "struct " in name else max(old) + 1
        for number, what in old.items():
            if new.get(number) != what:
                yield f"{name} had at {number} {what}, and has {new.get(number, 'nothing')}"
        for number, what in new.items():
            if number < end and number not in old:
                yield f"{name} has before its end, at {number}, the new {what}"
