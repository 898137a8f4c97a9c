# For the merchant: what is wrong with a parcel, why we say so, and what to do.
exception-no-pickup = Not picked up
exception-no-pickup-cause = Shipped { $age }, but the carrier has no pickup scan yet.
exception-no-pickup-todo = Please check that the courier has it; if not, ask for a pickup or use another carrier.

exception-stuck = No movement
exception-stuck-cause = The last scan was { $age }; nothing since.
exception-stuck-todo = Please ask the carrier to trace it, and let the buyer know you’re on it.

exception-overdue = Overdue
exception-overdue-cause = The expected time passed { $age } and it hasn’t arrived.
exception-overdue-todo = Please press the carrier, then give the buyer a new date.

exception-not-collected = Not collected
exception-not-collected-cause = It reached the pickup point { $age } and hasn’t been collected.
exception-not-collected-todo = Please remind the buyer to collect it before it’s sent back.

exception-loop = Going in circles
exception-loop-cause = It’s been moving back and forth between two places (started { $age }).
exception-loop-todo = Please ask the carrier to check the label’s address and the sorting.

exception-attempts = Several failed deliveries
exception-attempts-cause = The courier has tried more than once without success (last trouble { $age }).
exception-attempts-todo = Please confirm phone, address and a good time with the buyer, and pass them on to the carrier.

exception-disputed = Marked delivered, buyer has nothing
exception-disputed-cause = Tracking says delivered; the buyer told us it never arrived ({ $age }).
exception-disputed-todo = Please ask the carrier who signed and where it was left, and get back to the buyer soon.

exception-refused = Refused
exception-refused-cause = The carrier recorded it as refused ({ $age }).
exception-refused-todo = Please ask the buyer why, then decide: deliver again, return, or refund.

exception-damaged = Damaged
exception-damaged-cause = The carrier recorded it as damaged ({ $age }).
exception-damaged-todo = Please get photos, file a claim, and offer the buyer a replacement or refund.

exception-lost = Lost or destroyed
exception-lost-cause = The carrier recorded it as lost or destroyed ({ $age }).
exception-lost-todo = Please file a claim, and send a replacement or refund soon.

exception-customs = Held at customs
exception-customs-cause = It got held up at customs { $age } and hasn’t been released.
exception-customs-todo = Please see what customs needs; if it’s for the buyer to provide, ask them to follow the notice.

exception-returning = On its way back
exception-returning-cause = It’s being returned to the sender (started { $age }).
exception-returning-todo = Please find out why, and agree with the buyer on resending or a refund.

exception-reported = Problem reported by the carrier
exception-reported-cause = The carrier recorded a problem ({ $age }).
exception-reported-todo = Please read the reason in the tracking; if the buyer has to act, contact them first.

exception-incident = { $carrier }: { $count } parcels are standing still at { $place }, most likely for one reason; one question to the carrier covers them all.
