# How times are said. $clock is like 09:14; $month is the number, $month-name the month's name.
time-moment-today = today at { $clock }
time-moment-yesterday = yesterday at { $clock }
time-moment-tomorrow = tomorrow at { $clock }
time-moment-date = { $month-name } { $day } at { $clock }
time-moment-year = { $month-name } { $day }, { $year } at { $clock }
time-day-today = today
time-day-yesterday = yesterday
time-day-tomorrow = tomorrow
time-day-before-yesterday = { $weekday }, { $month-name } { $day }
time-day-after-tomorrow = { $weekday }, { $month-name } { $day }
time-day-week = { $weekday }, { $month-name } { $day }
time-day-date = { $month-name } { $day }
time-day-year = { $month-name } { $day }, { $year }
time-age-now = just now
time-age-minutes = { $count ->
        [one] 1 minute ago
       *[other] { $count } minutes ago
    }
time-age-hours = { $count ->
        [one] 1 hour ago
       *[other] { $count } hours ago
    }
time-age-days = { $count ->
        [one] 1 day ago
       *[other] { $count } days ago
    }
time-eta-days = { $from } to { $to }
time-eta-window = { $day }, { $from }–{ $to }
time-eta-time = { $day } around { $clock }
time-weekday-1 = Mon
time-weekday-2 = Tue
time-weekday-3 = Wed
time-weekday-4 = Thu
time-weekday-5 = Fri
time-weekday-6 = Sat
time-weekday-7 = Sun
time-month-1 = Jan
time-month-2 = Feb
time-month-3 = Mar
time-month-4 = Apr
time-month-5 = May
time-month-6 = Jun
time-month-7 = Jul
time-month-8 = Aug
time-month-9 = Sep
time-month-10 = Oct
time-month-11 = Nov
time-month-12 = Dec
