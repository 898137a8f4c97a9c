# Descriptions in Telegram's command menu, at most 256 characters each
command-start = Start
command-track = Where’s my parcel?
command-eta = When will it arrive?
command-list = My orders
command-human = Talk to an agent
command-language = Change language
command-stop = Stop delivery messages
command-resume = Resume delivery messages
command-delete = Delete my data
command-help = What I can do
