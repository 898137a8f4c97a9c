# Who is asking: ask only for what's missing. A refusal never says which part was wrong, nor whether an order exists.
ask-order = Please send your order number or tracking number and the last 4 digits of your phone number, and I’ll look it up.
ask-phone-tail = Got it, { $number }. To protect your privacy, please also send the last 4 digits of your phone number.
ask-order-number = Thanks for the digits. Please also send your order number or tracking number.
ask-which-number = Which number would you like me to look up?

verify-done = All set. From now on you can simply ask me about { $parcel }.
verify-refused = That didn’t match. Please check the order or tracking number and the last 4 digits of your phone number, and try again.
verify-too-many = That’s too many tries. Please try again in an hour, or reply “agent” if it’s urgent.
verify-link-needed = To protect your privacy, please come in through your order page or the link from the shop, then ask me again.

bindings-list = You’re linked to { $count ->
        [one] 1 order:
       *[other] { $count } orders:
    }
binding-line = { $position }. { $parcel } (order { $order })
unbind-which = Which one should I unlink? Just send its position in the list.
unbind-done = Unlinked. To track it again, send the order number and the last 4 digits of your phone number.
unbind-all-done = { $count ->
        [one] Unlinked 1 order.
       *[other] Unlinked all { $count } orders.
    }
unbind-none = You aren’t linked to any orders.
