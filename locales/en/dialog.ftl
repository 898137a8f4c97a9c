# Greeting, small talk, hand-over to a person, notifications, data
greeting = Hi, this is { $shop }. To track a parcel, just ask, for example “Where’s my parcel?”
joined = Welcome to { $shop }! Ask me any time where your parcel is.
thanks = You’re welcome. I’m here whenever you need me.
other = I can’t help with that one. I can track parcels, tell you when they’ll arrive and list your orders. For anything else, reply “agent”.
other-again = Sorry, I still don’t follow. Try “Where’s my parcel?”, or reply “agent” to reach a person.
unreadable = I can’t read pictures, stickers or voice messages yet. Please type it for me.
too-long = That’s too long for me to read at once. Please send a shorter message.

human-waiting = I’ve let our team know. Someone will answer you here.
human-still-waiting = Nobody has joined yet. Your messages are saved; please hang on a little longer.
human-timeout = Sorry, nobody could answer you in time. Your messages are saved, and meanwhile I can help with your parcels.
human-back = Our agent has closed this chat. I’m here for your parcels again.

stop-done = OK, you won’t get delivery messages any more. To turn them back on, reply “resume notifications”.
stop-some = OK, from now on I’ll only message you when your parcel:
notice-group-moving = · is shipped or picked up by the carrier
notice-group-delivery = · is out for delivery
notice-group-arrival = · can be collected or has been delivered
notice-group-trouble = · is delayed, could not be delivered, or is going back
stop-some-undo = To get everything again, reply “resume notifications”.
resume-done = OK, delivery messages are back on.
delete-confirm = This erases your data and your order links here for good. Are you sure?
delete-done = Your data has been deleted.
delete-kept = OK, nothing was changed.
language-ask = Which language would you like?
language-set = OK, I’ll use English from now on.
language-choice-zh-cn = 简体中文
language-choice-zh-tw = 繁體中文
language-choice-en = English

pending-expired = My earlier question has expired. Please ask again.
busy = Sorry, something went wrong on our side. Please ask again in a minute.
