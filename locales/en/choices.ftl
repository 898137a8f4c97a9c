# Questions with answers to tap. choice-… are labels: short.
choose-order = Which order do you mean?
choose-other = Not this one? Pick another:
choose-parcel = Which parcel do you mean?
choose-quick = Or tap one of these:
choice-order = { $title } · { $status }
choice-order-plain = Order { $order } · { $status }
choice-order-number = Order { $order }
choice-parcel = Parcel { $position } · { $status }
choice-human = Talk to an agent
choice-yes = Yes
choice-no = No
choice-track = Where’s my parcel?
choice-list = My orders
choice-delete = Yes, delete
choice-keep = No, keep it
choice-unbind-all = Unlink all

list-intro = You have { $count ->
        [one] 1 order:
       *[other] { $count } orders:
    }
list-line = { $position }. { $parcel }: { $status }
list-line-waiting = { $position }. { $parcel }: Not shipped yet
list-none = I can’t find any orders of yours.
list-more = { $more ->
        [one] 1 more order isn’t shown.
       *[other] { $more } more orders aren’t shown.
    }
