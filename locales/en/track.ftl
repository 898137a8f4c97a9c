# Where the parcel is: the fact first (track-…), then what happens next and what the buyer can do (next-…).
# Variables: $parcel what it is called, $carrier, $number, $at time of the newest scan, $scan that scan in words,
# $status the status in words.

track-unknown = { $parcel }: there’s no tracking information yet ({ $carrier } { $number }).
track-info-received = { $parcel } is booked with { $carrier }, but they don’t have it yet.
track-picked-up = { $parcel } has been picked up by { $carrier } ({ $at }).
track-in-transit =
    { $parcel } is on its way with { $carrier }.
    Latest ({ $at }): { $scan }
track-out-for-delivery = { $parcel } is out for delivery (updated { $at }).
track-attempt-failed = { $parcel } couldn’t be delivered this time ({ $at }): { $scan }
track-ready-for-pickup = { $parcel } has arrived: { $status } ({ $at }).
track-exception =
    There’s a problem with { $parcel }: { $status }.
    Latest ({ $at }): { $scan }
track-returning = { $parcel } is on its way back to the sender (updated { $at }).
track-delivered = { $parcel }: { $status } ({ $at }).
track-returned = { $parcel } is back with the sender ({ $at }).
track-lost = We’re very sorry. According to { $carrier }, { $parcel } won’t arrive: { $status } ({ $at }).
track-cancelled = The shipment of { $parcel } was cancelled ({ $at }).
track-expired = { $parcel } has had no news for a long time, so automatic checks have stopped. The last scan was { $at }.

next-unknown = It often takes a few hours after shipping before the first scan shows up. Please ask me again later.
next-info-received = Tracking starts once the carrier picks it up.
next-picked-up = Next it travels to your city; new scans will show up along the way.
next-in-transit = Once it reaches your local depot, it’ll be sent out for delivery.
next-out-for-delivery = Please keep your phone at hand in case the courier calls.
next-attempt-failed = The carrier usually tries again. Please keep your phone at hand, or arrange a time with the courier.
next-ready-for-pickup = Please collect it soon; after a while it may be sent back.
next-exception = If you’d like help, reply “agent” and we’ll contact the carrier.
next-returning = If you didn’t ask for this, reply “agent” and we’ll look into it.
next-delivered = If you haven’t got it, reply “not received” and we’ll look into it.
next-returned = For a refund or a new shipment, reply “agent”.
next-lost = Reply “agent” and we’ll sort out a refund or a replacement.
next-cancelled = If you still want the item, reply “agent” and we’ll check whether it can be shipped again.
next-expired = If it hasn’t reached you, reply “agent” and we’ll ask the carrier.

# Expected arrival
eta-known = Expected delivery: { $eta }.
eta-today = Expected delivery: { $eta }. Please keep your phone at hand.
eta-passed = It was expected { $eta }, so it’s late. Sorry about that.
eta-unknown = The carrier hasn’t given an expected date yet.

# Collecting, courier, signature
pickup-code = Pickup code: { $code }
pickup-place = Pickup point: { $place }
pickup-code-place =
    Pickup code: { $code }
    Pickup point: { $place }
courier = Courier: { $name }, phone { $phone }
courier-phone = Courier’s phone: { $phone }
signed-by = Signed by: { $who }

# How old the news is, and whose
fresh = Updated { $age }, from { $source }.
fresh-stale = { $source } can’t be reached right now; this is what we knew { $age }.
fresh-never = { $carrier } hasn’t given any information yet.

# One order, several parcels
order-parcels = { $parcel } comes in { $total ->
        [one] 1 parcel
       *[other] { $total } parcels
    }, { $delivered } delivered so far:
order-parcel-line = { $position }. { $status } ({ $at }), { $number }
order-parcel-line-unknown = { $position }. No tracking information yet, { $number }
order-and-others = You have { $more ->
        [one] 1 more order.
       *[other] { $more } more orders.
    }
label-more = Show more

# Hurry up, late, stuck
urge-moving = I’ve noted for the shop that you’re waiting for { $parcel }.
urge-waiting = { $parcel } hasn’t shipped yet. I’ve noted your request for the shop.
urge-final = There’s nothing left to speed up: the trip of { $parcel } is over.
delayed-sorry = Sorry for the wait. Here’s the latest on { $parcel }.
delayed-waiting = Sorry for the wait. { $parcel } hasn’t shipped yet.
stuck-sorry = Sorry, the last news of { $parcel } came { $age }.
stuck-noted = We’ve noted it for the shop to follow up.

# Not found, cannot be asked
no-answer = { $carrier } can’t be reached right now, so I can’t look up { $number }. I’ll tell you as soon as I know; you can also ask me again in half an hour.
number-unknown = I don’t recognize the carrier of { $number }. Please check the number, or tell me the carrier’s name.
number-bad = { $number } doesn’t look like a complete tracking number. Please check it and send it again.
number-need-tail = To look up { $number }, { $carrier } needs the last 4 digits of the receiver’s or sender’s phone number. Please send them to me.
