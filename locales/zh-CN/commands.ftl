# Telegram 命令菜单的说明，每条不超过 256 个字
command-start = 开始
command-track = 我的快递到哪了
command-eta = 什么时候送到
command-list = 我的订单
command-human = 找人工客服
command-language = 切换语言
command-stop = 不再接收物流消息
command-resume = 恢复物流消息
command-delete = 删除我的资料
command-help = 能帮您做什么
