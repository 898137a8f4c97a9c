# What buyers are told before they ask: the fact first; next-…, advice-…, pickup code and courier follow.
# Variables: $parcel what it is called, $carrier, $number, $at time, $status the status in words, $scan the newest scan
# in words, $eta expected delivery

notice-shipped = { $parcel } has been shipped with { $carrier }, tracking number { $number }.
notice-shipped-next = I’ll tell you when there’s news; you can also ask me “where is my parcel” at any time.
notice-collected = { $parcel } has been picked up by { $carrier } ({ $at }).
notice-out-for-delivery = { $parcel } is out for delivery ({ $at }).
notice-ready-for-pickup = { $parcel } has arrived: { $status } ({ $at }).
notice-delivered = { $parcel }: { $status } ({ $at }).
notice-attempt-failed = { $parcel } couldn’t be delivered this time ({ $at }): { $scan }
notice-delayed = Sorry, { $parcel } will be late. The new expected delivery: { $eta }.
notice-delayed-next = We’ll keep an eye on it. If it’s urgent, reply “hurry” or “agent”.
notice-exception = There’s a problem with { $parcel }: { $status } ({ $at }).
notice-stalled = Sorry, there’s been no news of { $parcel } for a while. The last scan was { $at }.
notice-stalled-next = We’ve noted it and are looking into it; you’ll hear as soon as it moves. For help, reply “agent”.
notice-moving-again = { $parcel } is moving again ({ $at }): { $scan }
notice-returning = { $parcel } is on its way back to the sender ({ $at }).
notice-returned = { $parcel } is back with the sender ({ $at }).
notice-corrected = A correction: { $parcel } hasn’t been delivered after all; the carrier changed its record ({ $at }).
notice-answered = Here’s the answer about { $parcel }: { $status } ({ $at }).
notice-unanswered = Sorry, there’s still nothing on { $parcel }: { $carrier } has given no record for { $number }.
notice-unanswered-next = I’ll keep looking. If it’s urgent, check the tracking number, or reply “agent”.
