package org.apache.spark.ui.ember

import javax.servlet.http.HttpServletRequest

/** What a page of Spark's web UI is asked with. */
private[ember] object Servlet {
  type Request = HttpServletRequest
}
