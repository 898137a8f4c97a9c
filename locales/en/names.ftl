# What a parcel or an order is called. $parcel in other sentences is one of these, so it may start a sentence.
name-item = “{ $title }”
name-item-more = “{ $title }” and { $more ->
        [one] 1 more item
       *[other] { $more } more items
    }
name-order = Order { $order }
name-number = Parcel { $number } ({ $carrier })
name-part = { $parcel } (one of its parcels)
name-part-number = { $parcel } (one of its parcels, { $number })
name-with-number = { $parcel } ({ $number })
