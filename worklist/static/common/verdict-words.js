// The words of a verdict: a finding, `read`, which is none, or `unread`.
import { gettext } from "./texts.js";

export const VERDICT_WORDS = {
  pneumonia: gettext("pneumonia"),
  no_pneumonia: gettext("no pneumonia"),
  cannot_tell: gettext("uncertain"),
  read: gettext("marked as read"),
  unread: gettext("unread again"),
};
