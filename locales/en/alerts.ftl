# Alerts to the merchant's own chat: what is wrong, with which order, and where.
alert-new = { $shop }: { $count ->
    [one] 1 parcel needs
   *[other] { $count } parcels need
} attention:
alert-line = · { $trouble }: order { $order }, { $carrier } { $number } { $place }
alert-cleared = { $shop }: { $count ->
    [one] 1 alert has
   *[other] { $count } alerts have
} cleared:
alert-cleared-line = · { $trouble } (cleared): order { $order }, { $carrier } { $number }, now: { $status }
alert-more = And { $count } more; see the list of exceptions.
alert-digest = { $shop }: { $count ->
    [one] 1 exception is
   *[other] { $count } exceptions are
} still open today:
alert-digest-line = · { $trouble }: { $count }
alert-test = { $shop }: this is a test alert. If you can read it, all is set up.
