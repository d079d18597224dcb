"""Whether the machine's clock goes right and its power suffices."""

from collections.abc import Iterator

from smscatch.doctor.finding import Patient, read_text
from smscatch.messages import Diagnosis


def check_clock(patient: Patient) -> Iterator[Diagnosis]:
    """Ask whether the clock is set by the network, as timedatectl(1) tells it: leases go by the time."""
    told = patient.machine.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if told == "yes":
        yield Diagnosis(check="clock", verdict="ok", sentence="The clock is set by the network (NTP).")
    elif told == "no":
        yield Diagnosis(
            check="clock",
            verdict="wrong",
            sentence="The clock is not set by the network: texts seem late or early, and leases refuse them.",
            remedy="sudo timedatectl set-ntp true",
        )
    else:
        yield Diagnosis(
            check="clock", verdict="note", sentence="Whether the clock is set by the network cannot be told here."
        )


def check_power(patient: Patient) -> Iterator[Diagnosis]:
    """Read a Raspberry Pi's alarm for too low a voltage (the kernel's drivers/hwmon/raspberrypi-hwmon.c)."""
    for name in sorted((patient.machine.usb.sys / "class" / "hwmon").glob("*/name")):
        if read_text(name) != "rpi_volt":
            continue
        if read_text(name.parent / "in0_lcrit_alarm") == "0":
            yield Diagnosis(check="power", verdict="ok", sentence="The Pi's voltage has not been too low.")
        else:
            yield Diagnosis(
                check="power",
                verdict="wrong",
                sentence="The Pi's voltage is or was too low since its start: a modem that sends drops out then.",
                remedy="Give the Pi a power supply of 2.5 A or more, or the modem a powered USB hub.",
            )
