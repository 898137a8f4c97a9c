# Shipping, address, interception, returns, not received
when-ship-waiting = { $parcel } hasn’t shipped yet (paid { $paid_at }). You can track it once it has.
when-ship-waiting-plain = { $parcel } hasn’t shipped yet. You can track it once it has.
when-ship-by = The shop promised to ship it by { $ship_by }.
when-ship-late = Sorry, the promised date ({ $ship_by }) has passed. We’ve reminded the shop.
when-ship-shipped = { $parcel } has shipped ({ $at }).
when-ship-general = Shipping times are on the product page and in your order. Send me your order number and the last 4 digits of your phone number, and I’ll check that order.

order-closed = { $parcel } is closed and won’t be shipped.
order-refunding = A refund for { $parcel } is being processed.
order-unpaid = { $parcel } hasn’t been paid yet. The shop ships after payment.

not-received-delivered = According to tracking, { $parcel } was delivered{ $at ->
        [none] {""}
       *[other] {" "}({ $at })
    }. If you don’t have it, let’s find out where it is.
not-received-moving = { $parcel } hasn’t been delivered yet. Here’s where it stands.
not-received-locker = It’s recorded as left in a parcel locker; please check for a pickup text and look in the locker.
not-received-collected = It’s recorded as collected at the pickup point.
not-received-neighbour = It’s recorded as handed to a neighbor.
not-received-left = It’s recorded as left in the mailbox or an agreed place.
not-received-other = It’s recorded as signed for by someone else.
not-received-place = Pickup point on record: { $place }.
not-received-wait = Couriers sometimes mark it delivered before they hand it over. If it’s still not there by { $until }, please tell us again.
not-received-advice = Please check with family or neighbors, and at the door, mailbox, parcel locker, pickup station and reception.
not-received-noted = I’ve noted this for the shop.
not-received-more = If it’s still missing, tap “Talk to an agent” and we’ll keep looking.

change-address-waiting = { $parcel } hasn’t shipped yet. I’ve noted for the shop that you want another address. To confirm the new name, phone and address, reply “agent”.
change-address-moving = { $parcel } has shipped, so { $carrier } decides whether the address can still change. { $hotline ->
        [none] Please ask through { $carrier }’s official service, or reply “agent”.
       *[other] You can call { $carrier } at { $hotline }, or reply “agent”.
    }
change-address-final = The trip of { $parcel } is over, so its address can’t be changed. For anything else, reply “agent”.
change-address-general = Whether an address can change depends on whether the order has shipped. Send me the order number and the last 4 digits of your phone number, or reply “agent”.

intercept-moving = { $parcel } has shipped, so { $carrier } decides whether it can be stopped. Reply “agent” and we’ll request it.
intercept-waiting = { $parcel } hasn’t shipped yet, so there’s nothing to stop. To cancel the order, reply “agent”.
intercept-final = The trip of { $parcel } is over, so it can’t be stopped. To return it, reply “agent”.

return-running = A return or refund of { $parcel } is being processed. For details, reply “agent”.
return-none = I can’t find a return or refund for { $parcel }. To request one, reply “agent”.
return-parcel-returning = { $parcel } is on its way back. Here’s where it stands.
return-general = To check a return or refund, send me the order number and the last 4 digits of your phone number. To request one, reply “agent”.
fee-general = Shipping and other charges are as shown on your order page. If in doubt, reply “agent” and we’ll check.
