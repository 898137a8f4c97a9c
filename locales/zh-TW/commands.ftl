# Telegram 指令選單的說明，每則不超過 256 個字
command-start = 開始
command-track = 我的包裹到哪了
command-eta = 什麼時候送到
command-list = 我的訂單
command-human = 找真人客服
command-language = 切換語言
command-stop = 不再接收物流訊息
command-resume = 恢復物流訊息
command-delete = 刪除我的資料
command-help = 能幫您做什麼
