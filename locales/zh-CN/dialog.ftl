# 招呼、闲聊、转人工、退订、删除资料
greeting = 您好，这里是 { $shop }。想查快递，直接告诉我就行，比如“我的快递到哪了”。
joined = 欢迎来到 { $shop }！想知道快递到哪了，随时问我。
thanks = 不客气，有需要随时找我。
other = 这个问题我答不上来。我可以帮您查快递、查预计送达时间、看订单；其他事情，回复“人工”找客服。
other-again = 抱歉，还是没明白您的意思。您可以问“我的快递到哪了”，或者回复“人工”找客服。
unreadable = 我暂时看不了图片、表情和语音，麻烦您打字告诉我。
too-long = 内容太长了，我没法一次看完，麻烦您简短一点再发一次。

human-waiting = 已经通知客服，请您稍等，客服会在这里回复您。
human-still-waiting = 客服还没有接入，您的消息已经留好了，请再等一等。
human-timeout = 抱歉，客服暂时没能回复您。您的留言都还在。在这期间，快递的事可以先问我。
human-back = 客服已结束本次接待，查快递继续找我就行。

stop-done = 好的，以后不再主动给您发物流消息了。想恢复时，回复“恢复通知”。
stop-some = 好的，以后只在这些时候主动告诉您：
notice-group-moving = · 发货、揽收
notice-group-delivery = · 开始派送
notice-group-arrival = · 可以取件、已签收
notice-group-trouble = · 延误、没送到、退回这类意外
stop-some-undo = 想全部恢复时，回复“恢复通知”。
resume-done = 好的，已恢复物流消息。
delete-confirm = 删除后，我这里关于您的资料和订单关联都会清除，不能恢复。确定要删除吗？
delete-done = 您的资料已经删除。
delete-kept = 好的，资料没有改动。
language-ask = 您希望用哪种语言？
language-set = 好的，以后用简体中文。
language-choice-zh-cn = 简体中文
language-choice-zh-tw = 繁體中文
language-choice-en = English

pending-expired = 刚才的问题已经过期了，麻烦您重新问一次。
busy = 抱歉，我这边出了点小问题，请您一分钟后再问一次。
