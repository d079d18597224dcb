"""How long the code reader takes for an SMS of 160 characters, beside the floor: one search for a run of digits.

Run it with `python benchmarks/codes.py`; only the ratio compares between machines and moments.
"""

import re
import statistics
import time
from collections.abc import Callable

from smscatch.codes import find_codes

TEXTS = {
    "english": (
        "Your Acme verification code is 482913. Do not share it with anyone, our employees will never ask"
        " for it. It is valid for 10 minutes. If you did not ask, ignore."
    ),
    "bank": (
        "Dear customer, 482913 is your OTP for the payment of INR 2,499.00 at ORCHARD with card XX8841 on"
        " 12-03-26 18:22:07. Valid for 180 seconds. Never tell it to anyone."
    ),
    "chinese": (
        "【向阳花】您的验证码是482913，5分钟内有效，请勿泄露给任何人。您正在使用新设备登录您的向阳花账户，如非本人操作，"
        "请立即修改密码并致电客服热线95501。我们的工作人员不会以任何理由向您索取验证码，谨防诈骗。"
        "感谢您使用向阳花，祝您生活愉快。更多优惠活动请打开应用查看，回复退订可不再接收此类短信，谢谢。"
    ),
    "no code": (
        "Your parcel will come on 12 March between 14:10 and 16:10. Follow it at https://post.example/t/88410273"
        " or call 1-800-555-0142. Thank you for shopping with us!"
    ),
}
ROUNDS, READS = 200, 20


def median_microseconds(read: Callable[[str], object], text: str) -> float:
    """The median over rounds of the mean time of one read."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(READS):
            read(text)
        times.append((time.perf_counter() - started) / READS * 1e6)
    return statistics.median(times)


def main() -> None:
    """Print a line per text."""
    floor = re.compile(r"[0-9]{4,8}").search
    for name, whole in TEXTS.items():
        text = whole[:160]
        ours, least = median_microseconds(find_codes, text), median_microseconds(floor, text)
        print(f"{name:<8} {len(text)} characters: {ours:6.1f} µs, floor {least:4.2f} µs, ratio {ours / least:5.0f}")


if __name__ == "__main__":
    main()
