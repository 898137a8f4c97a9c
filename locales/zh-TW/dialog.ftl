# 招呼、閒聊、轉真人、停止通知、刪除資料
greeting = 您好，這裡是 { $shop }。想查包裹，直接告訴我就可以，例如「我的包裹到哪了」。
joined = 歡迎來到 { $shop }！想知道包裹到哪了，隨時問我。
thanks = 不客氣，有需要隨時找我。
other = 這個問題我沒辦法回答。我可以幫您查包裹、查預計送達時間、看訂單；其他事情，請回覆「客服」。
other-again = 抱歉，還是沒看懂您的意思。您可以問「我的包裹到哪了」，或回覆「客服」。
unreadable = 我目前看不了圖片、貼圖和語音，麻煩您打字告訴我。
too-long = 內容太長了，我沒辦法一次看完，麻煩您簡短一點再傳一次。

human-waiting = 已經通知客服，請您稍候，客服會在這裡回覆您。
human-still-waiting = 客服還沒有接手，您的訊息已經留好了，請再等一等。
human-timeout = 抱歉，客服暫時沒能回覆您。您的留言都還在。這段時間，包裹的事可以先問我。
human-back = 客服已結束這次服務，查包裹繼續找我就可以。

stop-done = 好的，以後不會再主動傳物流訊息給您。想恢復時，請回覆「恢復通知」。
stop-some = 好的，以後只在這些時候主動告訴您：
notice-group-moving = · 出貨、收件
notice-group-delivery = · 開始配送
notice-group-arrival = · 可以取件、已簽收
notice-group-trouble = · 延誤、沒送到、退回這類意外
stop-some-undo = 想全部恢復時，請回覆「恢復通知」。
resume-done = 好的，已恢復物流訊息。
delete-confirm = 刪除後，我這裡關於您的資料和訂單綁定都會清除，無法復原。確定要刪除嗎？
delete-done = 您的資料已經刪除。
delete-kept = 好的，資料沒有變動。
language-ask = 您希望使用哪種語言？
language-set = 好的，以後用繁體中文。
language-choice-zh-cn = 简体中文
language-choice-zh-tw = 繁體中文
language-choice-en = English

pending-expired = 剛才的問題已經過期了，麻煩您重新問一次。
busy = 抱歉，我這邊出了點小狀況，請您一分鐘後再問一次。
