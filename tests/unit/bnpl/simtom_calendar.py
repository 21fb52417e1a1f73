"""simtom's calendar of 2020 to 2027, written down apart from the code under test."""

import datetime as dt

WEEKDAY = (1.15, 1.10, 1.05, 1.10, 1.25, 0.85, 0.70)
WEEK_OF_MONTH = (1.15, 0.95, 1.10, 0.90)
MONTH = (0.75, 0.85, 0.95, 1.0, 1.0, 1.05, 1.05, 1.05, 1.0, 1.05, 1.10, 1.20)


def season(day: dt.date) -> float:
    """The expected volume of a day, as a multiple of the volume asked for."""
    week = WEEK_OF_MONTH[min((day.day - 1) // 7, 3)]
    return WEEKDAY[day.weekday()] * week * MONTH[day.month - 1] * factor(day)


def factor(day: dt.date) -> float:
    """What simtom's events make of a day, one case a line."""
    month_day, weekday = (day.month, day.day), day.weekday()
    fixed = {(1, 1): 0.2, (7, 4): 0.8, (12, 24): 0.3, (12, 25): 0.1, (12, 31): 0.4}
    if month_day in fixed:
        return fixed[month_day]
    if month_day >= (12, 20):
        return 0.5
    since_thanksgiving = (day - thanksgiving(day.year)).days
    of_thanksgiving = {-1: 1.3, 0: 0.2, 1: 1.6, 2: 1.3, 3: 1.3, 4: 1.4}
    if since_thanksgiving in of_thanksgiving:
        return of_thanksgiving[since_thanksgiving]
    if day.month == 12 or (8, 15) <= month_day <= (9, 15):
        return 1.2
    if (2, 11) <= month_day <= (2, 15):
        return 1.15 if day.day == 14 else 1.1
    since_second_monday = day.day - (8 + (-dt.date(day.year, 5, 1).weekday()) % 7)
    if day.month == 5 and -3 <= since_second_monday <= 1:
        return 1.15 if since_second_monday else 1.2
    if day.month == 6 and weekday == 0 and 15 <= day.day <= 21:
        return 1.1
    return 1.05 if month_day == (10, 31) else 1.0


def thanksgiving(year: int) -> dt.date:
    """The fourth Thursday of November."""
    return next(
        day for day in (dt.date(year, 11, number) for number in range(22, 29)) if day.weekday() == 3
    )
