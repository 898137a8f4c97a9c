//! Which traditional character is which simplified one, for matching only: what is shown is never converted.
//! Covers the characters that occur when people write about orders, parcels, money, places and daily things.

use std::sync::OnceLock;

/// Traditional then simplified, pair by pair. One simplified form per traditional character.
const PAIRS: &str = "\
萬万與与專专業业東东絲丝兩两嚴严喪丧個个豐丰臨临為为爲为麗丽舉举義义烏乌樂乐喬乔習习鄉乡書书買买亂乱爭争虧亏雲云產产畝亩親亲億亿僅仅從从\
侖仑倉仓儀仪們们價价眾众優优會会傘伞偉伟傳传傷伤倫伦偽伪體体餘余傭佣側侧僑侨儉俭債债傾倾償偿儲储兒儿黨党蘭兰關关興兴養养獸兽內内岡冈冊册寫写\
軍军農农馮冯沖冲決决況况凍冻淨净涼凉減减湊凑幾几鳳凤憑凭凱凯擊击鑿凿劃划劉刘則则剛刚創创刪删別别劑剂劍剑劇剧勸劝辦办務务動动勵励勁劲勞劳勢势\
匯汇彙汇區区醫医華华協协單单賣卖盧卢衛卫卻却廠厂廳厅歷历曆历壓压厭厌廁厕縣县參参雙双發发髮发變变敘叙葉叶號号嘆叹後后嚇吓嗎吗啟启吳吴員员聽听嗚呜\
詠咏嘗尝響响啞哑喚唤問问噸吨團团園园圍围國国圖图圓圆聖圣場场壞坏塊块堅坚壇坛墳坟墊垫壘垒報报塵尘牆墙墻墙聲声殼壳處处備备復复複复夠够頭头誇夸夾夹奪夺奮奋獎奖\
奧奥媽妈婦妇嬌娇娛娱嬰婴孫孙學学寧宁寶宝實实寵宠審审憲宪宮宫寬宽賓宾寢寝對对尋寻導导壽寿將将爾尔嘗尝堯尧屆届屬属層层歲岁豈岂島岛嶺岭幣币帥帅師师帳帐\
帶带幫帮幹干乾干幺么麼么廣广莊庄慶庆廬庐庫库應应廟庙龐庞廢废開开異异棄弃張张彌弥彎弯彈弹強强歸归當当噹当錄录徹彻徑径徵征後后憶忆憂忧懷怀態态憐怜總总戀恋懇恳惡恶惱恼\
悅悦懸悬驚惊懼惧慘惨懲惩慣惯慮虑懶懒願愿憤愤戲戏戰战戶户紮扎撲扑執执擴扩掃扫揚扬擾扰撫抚拋抛摳抠搶抢護护報报擔担擬拟攏拢揀拣擁拥攔拦擰拧撥拨擇择掛挂摯挚撓挠擋挡\
擠挤揮挥損损撿捡換换據据擄掳摑掴撈捞擺摆搖摇攜携攝摄撐撑數数敵敌斂敛齋斋鬥斗斬斩斷断無无舊旧時时曠旷晝昼顯显曉晓曬晒暫暂雜杂權权條条來来楊杨傑杰極极構构樣样檔档機机櫃柜\
標标棧栈欄栏樹树檢检樓楼橋桥樞枢橫横櫻樱歡欢歐欧殘残毀毁畢毕氣气漢汉湯汤溝沟沒没滬沪濾滤潔洁灑洒淺浅漿浆測测濟济渾浑濃浓濤涛潤润漲涨漸渐漁渔滲渗灣湾濕湿滯滞滿满滅灭燈灯\
靈灵災灾爐炉點点煉炼爛烂煩烦燒烧熱热燙烫愛爱爺爷牽牵狀状獨独獄狱獲获獻献貓猫環环現现瑪玛琺珐電电畫画暢畅療疗癢痒瘋疯皺皱盤盘鹽盐監监蓋盖盜盗睜睁瞞瞒矯矫礦矿碼码磚砖確确禮礼\
禍祸種种積积稱称穩稳窮穷竊窃窩窝競竞筆笔築筑簡简簽签籤签籌筹籃篮類类糧粮糾纠紅红約约級级紀纪純纯紗纱納纳紛纷紙纸紋纹線线組组細细織织終终紹绍經经結结給给絡络絕绝統统絹绢繼继\
績绩緒绪續续維维綠绿緊紧網网綱纲綜综緩缓編编緣缘縮缩繩绳繪绘繞绕繳缴繡绣纏缠罷罢羅罗罰罚聯联職职腸肠膚肤腫肿脹胀脈脉腦脑腳脚臉脸膠胶臟脏艦舰藝艺節节蘇苏蘋苹範范荐荐薦荐藥药\
莖茎榮荣營营蕭萧薩萨藍蓝蔣蒋虛虚蟲虫雖虽蝦虾補补裝装褲裤襯衬襪袜見见觀观規规視视覺觉覽览觸触計计訂订認认討讨讓让訓训議议訊讯記记許许論论設设訪访證证評评識识詐诈訴诉診诊詞词\
試试詩诗話话詢询該该詳详語语誤误說说説说請请諸诸諾诺課课誰谁調调談谈謀谋謊谎謝谢謂谓講讲譯译譜谱讀读讚赞贊赞貝贝負负財财責责賢贤敗败賬账貨货質质販贩貪贪購购貯贮貫贯貴贵貸贷\
貿贸費费賀贺賊贼資资賠赔賴赖賺赚賽赛贈赠贏赢趕赶趨趋躍跃車车軌轨轉转輪轮軟软輕轻載载較较輛辆輩辈輸输轄辖辭辞邊边遼辽達达遷迁過过邁迈運运還还這这進进遠远違违連连遲迟適适選选遞递\
邏逻遺遗鄧邓鄭郑鄰邻醬酱釋释裡里裏里鑒鉴針针釘钉鈔钞鋼钢鑰钥鈕钮鈴铃鉛铅銀银銅铜鋪铺錢钱錯错錶表鍋锅鍵键鎖锁鎮镇鏈链鏡镜鐘钟鐵铁長长門门閃闪閉闭間间閒闲悶闷鬧闹聞闻閱阅闊阔隊队\
陽阳陰阴陣阵階阶際际陸陆陳陈險险隨随隱隐難难雞鸡離离霧雾靜静韓韩頁页頂顶項项順顺須须預预領领頻频題题額额顏颜顆颗風风飄飘飛飞飯饭飲饮飽饱飾饰餃饺餅饼館馆饋馈馬马駐驻駕驾驗验騎骑騙骗\
騰腾驅驱驛驿鬆松鬱郁魚鱼魯鲁鮮鲜鳥鸟鴨鸭鵝鹅麥麦黃黄齊齐齒齿齡龄龍龙龜龟妳你您您祂他牠它著着佔占係系繫系週周喫吃嘅的哋地喺在冇没咗了唔不嚟来睇看俾给畀给揾找搵找邊边佢他咁这乜什嘢东嗰那點点啱刚攞拿返回隻只衹只\
臺台檯台颱台徬彷佈布併并並并捨舍採采託托註注準准製制衝冲鍾钟穀谷麵面鬍胡鬚须閤合迴回慾欲颳刮瞭了儘尽薑姜嚐尝揹背祕秘裡里乾干傢家夥伙捲卷誌志範范鹼碱匯汇屜屉攤摊瀏浏覽览賬账戶户贖赎頓顿緝缉誠诚詭诡聰聪鄒邹鄺邝";

/// From U+4E00: the simplified form of each character, itself where there is none.
fn table() -> &'static [u16] {
    static TABLE: OnceLock<Vec<u16>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: Vec<u16> = (0x4E00..=0x9FFF).collect();
        let characters: Vec<char> = PAIRS.chars().collect();
        for pair in characters.chunks_exact(2) {
            if let (Some(slot), Ok(simplified)) = (
                (pair[0] as usize).checked_sub(0x4E00).and_then(|at| table.get_mut(at)),
                u16::try_from(pair[1] as u32),
            ) {
                *slot = simplified;
            }
        }
        table
    })
}

/// The simplified form of a character, or itself.
pub fn simplified(c: char) -> char {
    match (c as usize).checked_sub(0x4E00).and_then(|at| table().get(at)) {
        Some(code) => char::from_u32(u32::from(*code)).unwrap_or(c),
        None => c,
    }
}

/// Whether a character is only written in traditional script (as far as the table knows).
pub fn is_traditional(c: char) -> bool {
    // These stand in simplified texts too.
    !matches!(c, '著' | '乾' | '瞭' | '佈' | '託' | '註') && simplified(c) != c
}

/// Whether a character is the simplified form of a traditional one and is not used in traditional texts.
pub fn is_simplified_only(c: char) -> bool {
    static FORMS: OnceLock<std::collections::HashSet<char>> = OnceLock::new();
    FORMS
        .get_or_init(|| {
            let both = "干后里面系志台只布并准表松胡回尽了周谷注托采舍制家伙卷占地在不来看找他它你您的这那什给没拿背余云几千与刮合欲秘范着吃冲钟";
            PAIRS.chars().skip(1).step_by(2).filter(|c| !both.contains(*c)).collect()
        })
        .contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_whole_and_lead_to_simplified_characters() {
        let characters: Vec<char> = PAIRS.chars().collect();
        assert_eq!(characters.len() % 2, 0);
        assert!(characters.len() > 1_200);
        for pair in characters.chunks_exact(2) {
            assert_eq!(
                simplified(pair[1]),
                pair[1],
                "{} leads to {} which is traditional itself",
                pair[0],
                pair[1]
            );
        }
        let text: String = "我的訂單什麼時候發貨，還沒收到包裹".chars().map(simplified).collect();
        assert_eq!(text, "我的订单什么时候发货，还没收到包裹");
    }
}
